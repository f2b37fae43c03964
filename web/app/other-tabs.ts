// Tells the other tabs who is signed in now, so that no tab shows the data of one user under the name of another.
import { useEffect } from 'preact/hooks';
import type { Realm } from './navigation.ts';

/** Who is signed in, and for which client. */
export interface Identity {
  userId: string;
  clientId: string | null;
}

const channels = new Map<Realm, BroadcastChannel>();

/** Returns the one channel of this tab. A second one would receive what the tab itself sends. */
function channel(realm: Realm): BroadcastChannel {
  const known = channels.get(realm) ?? new BroadcastChannel(`portico:${realm}:identity`);
  channels.set(realm, known);
  return known;
}

/** Whether two identities are of the same user at the same client. */
export const isSameIdentity = (a: Identity, b: Identity): boolean => a.userId === b.userId && a.clientId === b.clientId;

/** Tells the other tabs who is signed in now. Called after each sign-in and each change of the client. */
export function announceIdentity(realm: Realm, identity: Identity): void {
  channel(realm).postMessage(identity);
}

/** Calls `onChange` when another tab says that another user is signed in, or that the client is another one. */
export function useIdentityOfOtherTabs(realm: Realm, own: Identity, onChange: (other: Identity) => void): void {
  useEffect(() => {
    const compare = ({ data }: MessageEvent<Identity>) => {
      if (!isSameIdentity(own, data)) onChange(data);
    };
    const tabs = channel(realm);
    tabs.addEventListener('message', compare);
    return () => tabs.removeEventListener('message', compare);
  }, [own.userId, own.clientId]);
}
