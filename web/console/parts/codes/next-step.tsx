import {
  cancelStaffSignIn,
  completeStaffEnrolment,
  sendStaffEnrolmentCode,
  setUpStaffEnrolment,
  verifyStaffSecondFactor,
  type StaffSession,
} from '@portico/client';
import type { NextStepProps } from '../../../app/next-step.ts';
import { EnrolStep } from '../../../kit/factors/enrol-step.tsx';
import { VerifyStep } from '../../../kit/factors/verify-step.tsx';

export { prepare } from '../../../kit/factors/prepare.ts';

const cancel = (challenge: string) => cancelStaffSignIn({ body: { challenge } });

/** The second step of a sign-in of a staff user: a second factor, or its setup. */
export default function StaffNextStep(props: NextStepProps<StaffSession>) {
  if (props.challenge.status === 'mfa_required') {
    return <VerifyStep {...props} verify={(body) => verifyStaffSecondFactor({ body })} cancel={cancel} />;
  }
  return (
    <EnrolStep
      {...props}
      sendMailCode={(challenge) => sendStaffEnrolmentCode({ body: { challenge } })}
      setUp={(body) => setUpStaffEnrolment({ body })}
      enable={(body) => completeStaffEnrolment({ body })}
      cancel={cancel}
    />
  );
}
