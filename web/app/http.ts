// The connection to the API. The session is in cookies that no script can read.
import { httpClient, refreshOnUnauthenticated } from '@portico/client';
import { signInPath, signedOutPath, type Realm } from './navigation.ts';

let signsOut = false;

/**
 * Makes calls refresh the session, and leads to the sign-in page when the session has ended. Called once, by what
 * surrounds the pages after sign-in.
 */
export function connect(realm: Realm): void {
  refreshOnUnauthenticated(httpClient, { realm, onSignedOut: () => leave(realm) });
}

/** Says that the user ends the session. Otherwise the next page would say that the session has ended. */
export function expectSignOut(): void {
  signsOut = true;
}

function leave(realm: Realm): void {
  clearDrafts();
  location.replace(signsOut ? signedOutPath(realm) : signInPath(realm, 'session_ended'));
}

/** Removes what this tab has kept for the user. Storage may be denied. */
function clearDrafts(): void {
  try {
    sessionStorage.clear();
  } catch {
    // Nothing was kept.
  }
}
