// Where a page leads after it has done its work.
import { boot } from './boot.ts';
import { markSession } from './session-mark.ts';

/** The pages before sign-in of the two apps. */
const SIGN_IN = { portal: '/portal/sign-in', staff: '/console/sign-in' };
const HOME = { portal: '/portal', staff: '/console' };
const SIGNED_OUT = { portal: '/portal/signed-out', staff: '/console/sign-in' };
export type Realm = keyof typeof SIGN_IN;

/** Returns the path of the page after a sign-out. */
export const signedOutPath = (realm: Realm): string => SIGNED_OUT[realm];

/**
 * Returns the URL for the query parameter `return_to`, or `undefined` if it may not be followed: a path of this origin,
 * or a URL on an origin that the operator has allowed. The value is parsed as the browser will parse it, so `//host`,
 * `/\host` and `javascript:` are refused by their origin.
 */
export function returnUrl(value: string | null | undefined): URL | undefined {
  if (!value || !URL.canParse(value, location.origin)) return undefined;
  const url = new URL(value, location.origin);
  if (url.username || url.password) return undefined;
  const isAllowed = url.origin === location.origin || boot.return_origins.includes(url.origin);
  return isAllowed && /^https?:$/.test(url.protocol) ? url : undefined;
}

/** Returns the path of the sign-in page that leads back to the page that is shown now. */
export function signInPath(realm: Realm, reason?: string): string {
  const query = new URLSearchParams();
  const here = location.pathname + location.search;
  if (here !== HOME[realm] && location.pathname !== SIGN_IN[realm]) query.set('return_to', here);
  if (reason) query.set('reason', reason);
  return query.size > 0 ? `${SIGN_IN[realm]}?${query}` : SIGN_IN[realm];
}

/** Returns where a sign-in leads: to `return_to` if it may be followed, else to the start page. */
export function afterSignIn(realm: Realm): URL {
  const url = returnUrl(new URLSearchParams(location.search).get('return_to'));
  return url && url.pathname !== SIGN_IN[realm] ? url : new URL(HOME[realm], location.origin);
}

/** Leaves the sign-in page with a real navigation, so that password managers offer to save the password. */
export function leaveSignIn(realm: Realm): void {
  markSession(realm);
  location.assign(afterSignIn(realm));
}
