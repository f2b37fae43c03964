import { ContinueAs } from '../../kit/continue-as.tsx';
import { useCurrentUser } from './current-user.ts';

/** Offers to go on with the session of the portal user, if it still lives. */
export default function ContinueAsUser() {
  const session = useCurrentUser();
  return session ? <ContinueAs realm="portal" name={session.user.name} /> : null;
}
