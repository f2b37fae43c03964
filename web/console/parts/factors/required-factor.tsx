import { queries } from '../../../app/queries.tsx';
import { RequiredPage } from '../../../kit/factors/required-page.tsx';
import { StaffStepUp } from '../codes/step-up.tsx';
import { FACTOR_CALLS } from './factor-calls.ts';
import { useSession } from '../session.tsx';

/** Lets a staff user set the second factor up that their company requires by now. */
export default function StaffRequiredFactor() {
  const { user, session } = useSession();
  return (
    <StaffStepUp>
      <RequiredPage mfa={session.mfa} account={user.email} calls={FACTOR_CALLS} onDone={() => queries.resetQueries()} />
    </StaffStepUp>
  );
}
