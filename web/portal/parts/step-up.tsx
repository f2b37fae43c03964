import type { ComponentChildren } from 'preact';
import { useTexts } from '../../app/texts.ts';
import { StepUpProvider, type StepUpQuestionProps } from '../../kit/factors/step-up.tsx';
import { Late } from '../../kit/late.tsx';

/** Lets the pages in it ask the portal user for a fresh proof: the password, or the second factor. */
export function PortalStepUp({ children }: { children: ComponentChildren }) {
  const { confirmIdentity } = useTexts('signedIn');
  return (
    <StepUpProvider title={confirmIdentity} question={Question}>
      {children}
    </StepUpProvider>
  );
}

function Question(props: StepUpQuestionProps) {
  return <Late load={() => import('./step-up-question.tsx')} texts={['secondStep', 'problems']} props={props} />;
}
