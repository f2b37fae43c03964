import type { PorticoError, RecoveryCodes, TotpSetup } from '@portico/client';
import { useState } from 'preact/hooks';
import type { Result } from '../../app/call.ts';
import { useStepUp } from './step-up.tsx';

/** How an authenticator app is set up in a session. */
export interface SetupCalls {
  setUp: () => Promise<Result<TotpSetup>>;
  enable: (code: string) => Promise<Result<RecoveryCodes>>;
}

/** The setup of an authenticator app in a session. */
export interface BegunSetup {
  /** What the server has answered. Without it, no setup has begun. */
  setup: TotpSetup | undefined;
  /** Why the setup could not begin. */
  problem: PorticoError | undefined;
  begin: () => Promise<void>;
  end: () => void;
}

/** Returns how to begin the setup of an authenticator app, and what has begun. */
export function useFactorSetup({ setUp }: SetupCalls): BegunSetup {
  const { whenFresh } = useStepUp();
  const [setup, setSetup] = useState<TotpSetup>();
  const [problem, setProblem] = useState<PorticoError>();
  const begin = async () => {
    const { data, error } = await whenFresh(setUp);
    setSetup(data);
    setProblem(error);
  };
  return { setup, problem, begin, end: () => setSetup(undefined) };
}
