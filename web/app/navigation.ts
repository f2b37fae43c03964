// Where a page leads after it has done its work.
import { boot } from './boot.ts';
import { markSession } from './session-mark.ts';

/** The sign-in pages of the two apps. */
export const SIGN_IN = { portal: '/portal/sign-in', staff: '/console/sign-in' };
/** The start pages of the two apps. */
export const HOME = { portal: '/portal', staff: '/console' };
export type Realm = keyof typeof SIGN_IN;

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
