import { stepUp, type PorticoError } from '@portico/client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useTexts } from '../../app/texts.ts';
import { Button } from '../../kit/button.tsx';
import { StepUpFactor } from '../../kit/factors/step-up-factor.tsx';
import type { StepUpQuestionProps } from '../../kit/factors/step-up.tsx';
import { Form, textOf } from '../../kit/form.tsx';
import { PasswordField } from '../../kit/password-field.tsx';
import { useSession } from './session.tsx';

/** Asks a portal user for their second factor, or for the password if they have none. */
export default function StepUpQuestion(props: StepUpQuestionProps) {
  const { mfa } = useSession().session;
  const [byFactor, setByFactor] = useState(mfa.enabled);
  const content = useRef<HTMLDivElement>(null);
  // The dialog was open before its fields were there.
  useEffect(() => content.current?.querySelector('input')?.focus(), [byFactor]);
  return (
    <div ref={content}>
      {byFactor ? (
        <StepUpFactor {...props} verify={(factor) => stepUp({ body: factor })} />
      ) : (
        <PasswordQuestion {...props} onFactorRequired={() => setByFactor(true)} />
      )}
    </div>
  );
}

/** Asks for the password. Another tab may have turned second factors on since. */
function PasswordQuestion({ onVerified, onCancel, onFactorRequired }: StepUpQuestionProps & { onFactorRequired: () => void }) {
  const { stepUp: texts } = useTexts('secondStep');
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
