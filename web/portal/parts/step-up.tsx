import { stepUp, type PorticoError } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useTexts } from '../../app/texts.ts';
import { Button } from '../../kit/button.tsx';
import { StepUpFactor } from '../../kit/factors/step-up-factor.tsx';
import { StepUpProvider, type StepUpQuestionProps } from '../../kit/factors/step-up.tsx';
import { Form, textOf } from '../../kit/form.tsx';
import { PasswordField } from '../../kit/password-field.tsx';
import { useSession } from './session.tsx';

/** Lets the pages in it ask the portal user for a fresh proof: the password, or the second factor. */
export function PortalStepUp({ children }: { children: ComponentChildren }) {
  const { stepUp: texts } = useTexts('factors');
  return (
    <StepUpProvider title={texts.title} question={Question}>
      {children}
    </StepUpProvider>
  );
}

function Question(props: StepUpQuestionProps) {
  const { mfa } = useSession().session;
  const [byFactor, setByFactor] = useState(mfa.enabled);
  if (byFactor) return <StepUpFactor {...props} verify={(factor) => stepUp({ body: factor })} />;
  return <PasswordQuestion {...props} onFactorRequired={() => setByFactor(true)} />;
}

/** Asks for the password. Another tab may have turned second factors on since. */
function PasswordQuestion({ onVerified, onCancel, onFactorRequired }: StepUpQuestionProps & { onFactorRequired: () => void }) {
  const { stepUp: texts } = useTexts('factors');
  const { cancel } = useTexts('signedIn');
  const [isWrong, setWrong] = useState(false);
  const showProblem = ({ code }: PorticoError) => {
    setWrong(code === 'invalid_credentials');
    if (code === 'mfa_required') onFactorRequired();
    return code === 'invalid_credentials' || code === 'mfa_required';
  };
  return (
    <Form
      send={(values) => stepUp({ body: { password: textOf(values, 'password') } })}
      onSent={onVerified}
      onProblem={showProblem}
      submit={texts.submit}
      actions={
        <Button kind="plain" onClick={onCancel}>
          {cancel}
        </Button>
      }
    >
      <p>{texts.byPassword}</p>
      <PasswordField
        name="password"
        label={texts.password}
        autocomplete="current-password"
        problem={isWrong ? texts.wrongPassword : undefined}
        required
      />
    </Form>
  );
}
