import { queries } from '../../app/queries.tsx';
import { RequiredPage } from '../../kit/factors/required-page.tsx';
import { FACTOR_CALLS } from './factor-calls.ts';
import { useSession } from './session.tsx';
import { PortalStepUp } from './step-up.tsx';

/** Lets a portal user set the second factor up that their tenant requires by now. */
export default function PortalRequiredFactor() {
  const { user, session } = useSession();
  return (
    <PortalStepUp>
      <RequiredPage mfa={session.mfa} account={user.email} calls={FACTOR_CALLS} onDone={() => queries.resetQueries()} />
    </PortalStepUp>
  );
}
