import { stepUpStaff } from '@portico/client';
import { createContext, type ComponentChildren } from 'preact';
import { useContext, useState } from 'preact/hooks';
import { useTexts } from '../../../app/texts.ts';
import { Dialog } from '../../../kit/dialog.tsx';
import type { Result } from '../../../app/call.ts';
import { StepUpCode } from './step-up-code.tsx';

/** Asks for a fresh code. Resolves to whether the user has entered it. */
type Confirm = () => Promise<boolean>;

const ConfirmContext = createContext<Confirm>(() => Promise.resolve(false));

/** Lets the pages in it ask for a fresh code. */
export function StepUpProvider({ children }: { children: ComponentChildren }) {
  const { stepUp: texts } = useTexts('access');
  const [pending, setPending] = useState<{ end: (confirmed: boolean) => void }>();
  const confirm = () => new Promise<boolean>((end) => setPending({ end }));
  const end = (confirmed: boolean) => {
    setPending(undefined);
    pending?.end(confirmed);
  };
  return (
    <ConfirmContext.Provider value={confirm}>
      {children}
      {pending && (
        <Dialog title={texts.title} onClose={() => end(false)}>
          <StepUpCode verify={(body) => stepUpStaff({ body })} onVerified={() => end(true)} onCancel={() => end(false)} />
        </Dialog>
      )}
    </ConfirmContext.Provider>
  );
}

/** How a page asks for a fresh code. */
export interface StepUp {
  /** Runs a call. If it answers that the session is not fresh, asks for a code and runs the call once more. */
  whenFresh: <Data>(call: () => Promise<Result<Data>>) => Promise<Result<Data>>;
  /** Asks for a code, also if the session is fresh. */
  confirm: Confirm;
}

/** Returns how to ask for a fresh code. The page must be in a `StepUpProvider`. */
export function useStepUp(): StepUp {
  const confirm = useContext(ConfirmContext);
  const whenFresh: StepUp['whenFresh'] = async (call) => {
    const result = await call();
    const isStale = result.error?.code === 'step_up_required';
    return isStale && (await confirm()) ? call() : result;
  };
  return { whenFresh, confirm };
}
