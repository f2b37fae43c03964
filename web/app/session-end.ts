// Where a page leads when its session has ended. The pages before sign-in do not load it.
import { HOME, SIGN_IN, type Realm } from './navigation.ts';

const SIGNED_OUT = { portal: '/portal/signed-out', staff: '/console/sign-in' };

/** Returns the path of the page after a sign-out. */
export const signedOutPath = (realm: Realm): string => SIGNED_OUT[realm];

/** Returns the path of the sign-in page that leads back to the page that is shown now. */
export function signInPath(realm: Realm, reason?: string): string {
  const query = new URLSearchParams();
  const here = location.pathname + location.search;
  if (here !== HOME[realm] && location.pathname !== SIGN_IN[realm]) query.set('return_to', here);
  if (reason) query.set('reason', reason);
  return query.size > 0 ? `${SIGN_IN[realm]}?${query}` : SIGN_IN[realm];
}
