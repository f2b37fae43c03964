import type { Result } from '../../app/call.ts';
import { useTexts } from '../../app/texts.ts';
import { Button } from '../button.tsx';
import { FactorForm, type EnteredFactor } from './factor-form.tsx';
import type { StepUpQuestionProps } from './step-up.tsx';

interface StepUpFactorProps extends StepUpQuestionProps {
  verify: (factor: EnteredFactor) => Promise<Result<unknown>>;
}

/** Asks a user who has a second factor for it. */
export function StepUpFactor({ verify, onVerified, onCancel }: StepUpFactorProps) {
  const { stepUp: texts } = useTexts('secondStep');
  const { cancel } = useTexts('signedIn');
  return (
    <div class="p-stack">
      <p>{texts.byFactor}</p>
      <FactorForm
        methods={['totp', 'recovery_code']}
        send={verify}
        onSent={onVerified}
        submit={texts.submit}
        actions={
          <Button kind="plain" onClick={onCancel}>
            {cancel}
          </Button>
        }
      />
    </div>
  );
}
