// Who is signed in in this browser, as the tabs tell each other.
import type { Realm } from './navigation.ts';
import { attempt } from './tab-storage.ts';

/** Who is signed in, and for which client. */
export interface Identity {
  userId: string;
  clientId: string | null;
}

let channel: BroadcastChannel | undefined;

/**
 * Returns the one channel of this tab. A second one would receive what the tab itself sends. Returns nothing where the
 * browser has no channels or denies them: then a tab learns of another user by its next call.
 */
export const identityChannel = (realm: Realm): BroadcastChannel | undefined =>
  (channel ??= attempt(() => new BroadcastChannel(`portico:${realm}:identity`)));

/** Tells the other tabs who is signed in now. Called after each sign-in and each change of the client. */
export const announceIdentity = (realm: Realm, identity: Identity): void => identityChannel(realm)?.postMessage(identity);
