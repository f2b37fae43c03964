import { getStaffSession } from '@portico/client';
import { useCurrentSession } from '../../app/current-session.ts';
import { ContinueAs } from '../../kit/continue-as.tsx';

/** Offers to go on with the session of the staff user, if it still lives. */
export default function ContinueAsStaff() {
  const session = useCurrentSession('staff', () => getStaffSession());
  return session ? <ContinueAs realm="staff" name={session.user.name} /> : null;
}
