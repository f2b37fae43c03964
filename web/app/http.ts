// The connection to the API. The session is in cookies that no script can read.
import { httpClient, refreshOnUnauthenticated } from '@portico/client';
import type { Result } from './call.ts';
import type { Realm } from './navigation.ts';
import { signInPath, signedOutPath } from './session-end.ts';
import { markSession, unmarkSession } from './session-mark.ts';
import { tabStorage } from './tab-storage.ts';

/** Receives that a call needs a second factor, see `start/required-factor.tsx`. */
let onFactorRequired: (() => void) | undefined;
let signsOut = false;
let isGuestConnected = false;
/** Why the session has ended. `undefined` until a call has succeeded: a first visitor has no session that can end. */
let reason: string | undefined;

/**
 * Makes calls refresh the session, and leads to the sign-in page when the session has ended. Called once, by what
 * surrounds the pages after sign-in.
 */
export function connect(realm: Realm): void {
  httpClient.setConfig({ fetch: (input, init) => fetchAndLearn(realm, input, init) });
  refreshOnUnauthenticated(httpClient, { realm, onSignedOut: () => leave(realm) });
}

/**
 * Makes calls refresh the session, and does nothing when there is none. For a page that anyone may see, and that asks
 * who is signed in.
 */
export function connectGuest(realm: Realm): void {
  if (isGuestConnected) return;
  isGuestConnected = true;
  refreshOnUnauthenticated(httpClient, { realm, onSignedOut: () => unmarkSession(realm) });
}

/**
 * Ends the session by a call. If it succeeds, the next page says that the user has signed out, and not that the session
 * has ended.
 */
export async function signOutBy<Data>(call: () => Promise<Result<Data>>): Promise<Result<Data>> {
  // The session may end before the call returns.
  signsOut = true;
  const result = await call();
  signsOut = !result.error;
  return result;
}

/** Runs `listener` when a call is refused because the user must have a second factor. Only the latest listener runs. */
export function whenFactorRequired(listener: (() => void) | undefined): void {
  onFactorRequired = listener;
}

function leave(realm: Realm): void {
  tabStorage.clear();
  unmarkSession(realm);
  location.replace(signsOut ? signedOutPath(realm) : signInPath(realm, reason));
}

/**
 * Sends a request, and remembers that there is a session or why it has ended, for the sign-in page. Tells the pages that
 * the user must have a second factor.
 */
async function fetchAndLearn(realm: Realm, input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  if (response.ok) {
    if (!reason) markSession(realm);
    reason = 'session_ended';
  }
  if (response.status !== 401 && response.status !== 403) return response;
  const problem = (await response.clone().json().catch(() => undefined)) as { code?: string } | undefined;
  if (problem?.code === 'session_expired' || problem?.code === 'session_revoked') reason = problem.code;
  // A step-up answers so if the proof is no second factor.
  if (problem?.code === 'mfa_required' && !response.url.endsWith('/step-up')) onFactorRequired?.();
  return response;
}
