import { useQuery } from '@tanstack/preact-query';
import { getSession, type CurrentSession } from '@portico/client';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { dataOf } from '../../app/queries.tsx';

/** The session of the portal user. Only pages inside of the signed-in frame have it. */
export const SessionContext = createContext<CurrentSession | undefined>(undefined);

/** Loads the session of the portal user. */
export const useSessionQuery = () => useQuery({ queryKey: ['session'], queryFn: () => dataOf(getSession()) });

/**
 * Returns the session of the portal user.
 *
 * @throws On a page that does not ask for a session.
 */
export function useSession(): CurrentSession {
  const session = useContext(SessionContext);
  if (!session) throw new Error('the page does not ask for a session');
  return session;
}
