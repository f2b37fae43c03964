// Refreshes the session of a browser when its access token has expired, once for all calls and tabs.
import type { Client } from './generated/client/index.js';
import { getSession, getStaffSession, refreshSession, refreshStaffSession } from './generated/sdk.gen.js';
import { isNetworkError } from './network-error.js';
import { SessionState, shareWhilePending, withLock } from './tabs.js';

/** The options of `refreshOnUnauthenticated`. */
export interface RefreshOptions {
  /** Whose session to refresh: the session of a portal user, or of a staff user. */
  realm: 'portal' | 'staff';
  /**
   * Called once when the session has ended: after a sign-out, after its expiry, because it was revoked, or because
   * there was none. If this tab had a session, the other tabs of the origin call theirs too.
   */
  onSignedOut?: () => void;
}

/** `refreshed`, `signed_out`, or the response that refused to refresh for another reason, such as 503 `overloaded`. */
type Outcome = 'refreshed' | 'signed_out' | Response;
type Answer = { error?: { code: string } | undefined; response?: Response };
type Call = (options: CallOptions) => Promise<Answer>;
interface CallOptions {
  client: Client;
  fetch: typeof fetch;
  signal: AbortSignal;
  responseStyle: 'fields';
  throwOnError: false;
}

const REALMS: Record<RefreshOptions['realm'], { paths: RegExp; read: Call; refresh: Call }> = {
  portal: {
    paths: /\/api\/portal\//,
    read: (options) => getSession(options),
    refresh: (options) => refreshSession(options),
  },
  staff: {
    paths: /\/api\/(staff|v1)\//,
    read: (options) => getStaffSession(options),
    refresh: (options) => refreshStaffSession(options),
  },
};

/** The codes of 401 that say that there is no session, once a refresh has not helped. */
const SESSION_ENDED = new Set<unknown>(['unauthenticated', 'session_expired', 'session_revoked']);

/** The longest time that each of the two requests of a refresh takes. Other calls and tabs wait for them. */
const REQUEST_TIMEOUT_MS = 15_000;

/**
 * Makes an HTTP client refresh the session when a call fails with 401 `unauthenticated`, and then send the request
 * once more. Calls that fail at the same time share one refresh, over all tabs of an origin if the browser has Web
 * Locks (in secure contexts: https and localhost).
 *
 * - If the session cannot be refreshed because it has ended, the call resolves to its 401.
 * - If the refresh gets no response of Portico, the call resolves to `network_error`, and the user stays signed in.
 * - If the refresh is refused for another reason, the call resolves to that problem, for example 503 `overloaded`.
 *
 * It is for pages in a browser, which have the session in cookies. It changes nothing for requests with a bearer token
 * and for the other codes of 401. Call it once for each realm, after a `setConfig` that sets `fetch`.
 */
export function refreshOnUnauthenticated(httpClient: Client, { realm, onSignedOut }: RefreshOptions): void {
  const send = httpClient.getConfig().fetch ?? ((input, init) => fetch(input, init));
  const { paths } = REALMS[realm];
  const session = new SessionState(`portico:${realm}`, () => onSignedOut?.());
  const refresh = shareWhilePending(() => withLock(`portico:${realm}`, () => refreshOnce(realm, httpClient, send)));

  const sendAndRefresh: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const path = new URL(request.url).pathname;
    if (!paths.test(path) || request.headers.has('authorization')) return send(request);

    const repeat = request.clone();
    const hadEnded = session.hasEnded;
    const response = await send(request);
    const code = await unauthorizedCode(response);
    if (code === 'unauthenticated' && !path.endsWith('/auth/refresh')) {
      const outcome = await refresh();
      if (outcome === 'refreshed') {
        session.begin();
        return send(repeat);
      }
      if (outcome !== 'signed_out') return outcome.clone();
    }
    if (SESSION_ENDED.has(code) || isSignOut(path, response)) session.end();
    else if (response.ok && session.hasEnded === hadEnded) session.begin();
    return response;
  };
  httpClient.setConfig({ fetch: sendAndRefresh });
}

/** Refreshes the session, unless another tab has done so while this one waited for the lock. */
async function refreshOnce(realm: RefreshOptions['realm'], client: Client, send: typeof fetch): Promise<Outcome> {
  const { read, refresh } = REALMS[realm];
  const call = (operation: Call) => {
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    return operation({ client, fetch: send, signal, responseStyle: 'fields', throwOnError: false });
  };

  let { error, response } = await call(read);
  if (error?.code === 'unauthenticated') ({ error, response } = await call(refresh));
  if (!error) return 'refreshed';
  if (!response || isNetworkError(error)) throw error;
  if (response.status === 401) return 'signed_out';
  return new Response(JSON.stringify(error), response);
}

/** Returns the code of the problem if the status is 401. */
async function unauthorizedCode(response: Response): Promise<unknown> {
  if (response.status !== 401) return undefined;
  const problem: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  return Object(problem).code;
}

function isSignOut(path: string, { ok }: Response): boolean {
  return ok && /\/auth\/sign-out(-everywhere)?$/.test(path);
}
