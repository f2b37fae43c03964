// Whether this browser may have a session. Scripts cannot read the cookies of the session.
import type { Realm } from './navigation.ts';
import { attempt } from './tab-storage.ts';

const keyOf = (realm: Realm) => `portico:${realm}:session`;

/** Whether a user has signed in with this browser, and the pages have not learned that the session has ended. */
export const mayHaveSession = (realm: Realm): boolean => attempt(() => localStorage.getItem(keyOf(realm))) != null;

/** Remembers that a user has signed in with this browser. */
export const markSession = (realm: Realm): void => void attempt(() => localStorage.setItem(keyOf(realm), '1'));

/** Remembers that no user is signed in. */
export const unmarkSession = (realm: Realm): void => void attempt(() => localStorage.removeItem(keyOf(realm)));
