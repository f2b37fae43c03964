import { stepUpStaff } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useTexts } from '../../../app/texts.ts';
import { StepUpFactor } from '../../../kit/factors/step-up-factor.tsx';
import { StepUpProvider, type StepUpQuestionProps } from '../../../kit/factors/step-up.tsx';
import { useSession } from '../session.tsx';
import { StepUpCode } from './step-up-code.tsx';

/** Lets the pages in it ask the staff user for a fresh proof: a mailed code, or the second factor. */
export function StaffStepUp({ children }: { children: ComponentChildren }) {
  const { confirmIdentity } = useTexts('signedIn');
  return (
    <StepUpProvider title={confirmIdentity} question={Question}>
      {children}
    </StepUpProvider>
  );
}

function Question(props: StepUpQuestionProps) {
  const { mfa } = useSession().session;
  const [byFactor, setByFactor] = useState(mfa.enabled);
  if (byFactor) return <StepUpFactor {...props} verify={(factor) => stepUpStaff({ body: factor })} />;
  // Another tab may have turned second factors on since.
  return <StepUpCode {...props} verify={(body) => stepUpStaff({ body })} onFactorRequired={() => setByFactor(true)} />;
}
