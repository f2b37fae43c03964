import type { CurrentStaffSession } from '@portico/client';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

/** The session of the staff user. Only pages inside of the signed-in frame have it. */
export const SessionContext = createContext<CurrentStaffSession | undefined>(undefined);

/**
 * Returns the session of the staff user.
 *
 * @throws On a page that does not ask for a session.
 */
export function useSession(): CurrentStaffSession {
  const session = useContext(SessionContext);
  if (!session) throw new Error('the page does not ask for a session');
  return session;
}
