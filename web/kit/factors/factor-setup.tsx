import type { RecoveryCodes as Codes } from '@portico/client';
import { useTexts } from '../../app/texts.ts';
import { Button } from '../button.tsx';
import { ProblemNotice } from '../problem-notice.tsx';
import type { BegunSetup, SetupCalls } from './begin-setup.ts';
import { useStepUp } from './step-up.tsx';
import { TotpSetup } from './totp-setup.tsx';

interface FactorSetupProps {
  begun: BegunSetup;
  calls: SetupCalls;
  /** Whether the new app replaces one. */
  replaces?: boolean;
  onEnabled: (codes: Codes | undefined) => unknown;
  /** Without it, the user cannot leave the setup. */
  onCancel?: () => void;
}

/** The setup of an authenticator app that has begun in a session. */
export function FactorSetup({ begun: { setup, problem, begin }, calls, replaces, onEnabled, onCancel }: FactorSetupProps) {
  const { setup: texts } = useTexts('secondStep');
  const { cancel } = useTexts('signedIn');
  const { whenFresh } = useStepUp();
  if (!setup) return problem ? <ProblemNotice problem={problem} /> : null;
  return (
    <>
      {replaces && <p>{texts.replaces}</p>}
      {problem && <ProblemNotice problem={problem} />}
      <TotpSetup
        setup={setup}
        confirm={(code) => whenFresh(() => calls.enable(code))}
        onConfirmed={onEnabled}
        onAgain={begin}
        actions={
          onCancel && (
            <Button kind="plain" onClick={onCancel}>
              {cancel}
            </Button>
          )
        }
      />
    </>
  );
}
