import { getSession, type CurrentSession } from '@portico/client';
import { useCurrentSession } from '../../app/current-session.ts';

/** Who is signed in in this browser, for a page that does not ask for a session: `null` if no user is. */
export const useCurrentUser = (): CurrentSession | null | undefined => useCurrentSession('portal', () => getSession());
