import { useEffect, useState } from 'preact/hooks';
import type { Result } from './call.ts';
import { connectGuest } from './http.ts';
import type { Realm } from './navigation.ts';

/**
 * Who is signed in in this browser, for a page that does not ask for a session: `null` if no user is. `read` is the call
 * that returns the session.
 */
export function useCurrentSession<Session>(realm: Realm, read: () => Promise<Result<Session>>): Session | null | undefined {
  const [session, setSession] = useState<Session | null>();
  useEffect(() => {
    connectGuest(realm);
    void read().then(({ data }) => setSession(data ?? null));
  }, []);
  return session;
}
