import { getSession, type CurrentSession } from '@portico/client';
import { useEffect, useState } from 'preact/hooks';
import { connectGuest } from '../../app/http.ts';

/** Who is signed in in this browser, for a page that does not ask for a session: `null` if no user is. */
export function useCurrentUser(): CurrentSession | null | undefined {
  const [session, setSession] = useState<CurrentSession | null>();
  useEffect(() => {
    connectGuest('portal');
    void getSession().then(({ data }) => setSession(data ?? null));
  }, []);
  return session;
}
