import {
  cancelSignIn,
  completeEnrolment,
  sendEnrolmentCode,
  setUpEnrolment,
  verifySecondFactor,
  type Session,
} from '@portico/client';
import type { NextStepProps } from '../../app/next-step.ts';
import { EnrolStep } from '../../kit/factors/enrol-step.tsx';
import { VerifyStep } from '../../kit/factors/verify-step.tsx';

export { prepare } from '../../kit/factors/prepare.ts';

const cancel = (challenge: string) => cancelSignIn({ body: { challenge } });

/** The second step of a sign-in of a portal user: a second factor, or its setup. */
export default function PortalNextStep(props: NextStepProps<Session>) {
  if (props.challenge.status === 'mfa_required') {
    return <VerifyStep {...props} verify={(body) => verifySecondFactor({ body })} cancel={cancel} />;
  }
  return (
    <EnrolStep
      {...props}
      sendMailCode={(challenge) => sendEnrolmentCode({ body: { challenge } })}
      setUp={(body) => setUpEnrolment({ body })}
      enable={(body) => completeEnrolment({ body })}
      cancel={cancel}
    />
  );
}
