// Notices that another tab has signed in, so that no tab shows the data of one user under the name of another.
import { useEffect } from 'preact/hooks';
import { identityChannel, type Identity } from './identity.ts';
import type { Realm } from './navigation.ts';

/** Whether two identities are of the same user at the same client. */
export const isSameIdentity = (a: Identity, b: Identity): boolean => a.userId === b.userId && a.clientId === b.clientId;

/** Calls `onChange` when another tab says that another user is signed in, or that the client is another one. */
export function useIdentityOfOtherTabs(realm: Realm, own: Identity, onChange: (other: Identity) => void): void {
  useEffect(() => {
    const compare = ({ data }: MessageEvent<Identity>) => {
      if (!isSameIdentity(own, data)) onChange(data);
    };
    const channel = identityChannel(realm);
    channel?.addEventListener('message', compare);
    return () => channel?.removeEventListener('message', compare);
  }, [own.userId, own.clientId]);
}
