import type { PorticoError, RecoveryCodes as Codes, TotpSetup as Setup } from '@portico/client';
import { useState } from 'preact/hooks';
import type { Result } from '../../app/call.ts';
import { useTexts } from '../../app/texts.ts';
import { Button } from '../button.tsx';
import { ProblemNotice } from '../problem-notice.tsx';
import { useStepUp } from './step-up.tsx';
import { TotpSetup } from './totp-setup.tsx';

/** How an authenticator app is set up in a session. */
export interface SetupCalls {
  setUp: () => Promise<Result<Setup>>;
  enable: (code: string) => Promise<Result<Codes>>;
}

/** Returns how to begin the setup of an authenticator app, what has begun, and why it has failed. */
export function useFactorSetup({ setUp }: SetupCalls) {
  const { whenFresh } = useStepUp();
  const [setup, setSetup] = useState<Setup>();
  const [problem, setProblem] = useState<PorticoError>();
  const begin = async () => {
    const { data, error } = await whenFresh(setUp);
    setSetup(data);
    setProblem(error);
  };
  return { setup, problem, begin, end: () => setSetup(undefined) };
}

interface FactorSetupProps {
  begun: ReturnType<typeof useFactorSetup>;
  calls: SetupCalls;
  onEnabled: (codes: Codes | undefined) => unknown;
  /** Without it, the user cannot leave the setup. */
  onCancel?: () => void;
}

/** The setup of an authenticator app that has begun in a session. */
export function FactorSetup({ begun: { setup, problem, begin }, calls, onEnabled, onCancel }: FactorSetupProps) {
  const { cancel } = useTexts('signedIn');
  const { whenFresh } = useStepUp();
  if (!setup) return problem ? <ProblemNotice problem={problem} /> : null;
  return (
    <>
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
