import { createContext, type ComponentChildren, type ComponentType } from 'preact';
import { useContext, useState } from 'preact/hooks';
import type { Result } from '../../app/call.ts';
import { Dialog } from '../dialog.tsx';

/** What the content of the dialog receives. */
export interface StepUpQuestionProps {
  onVerified: () => void;
  onCancel: () => void;
}

/** Asks for a fresh proof of who the user is. Resolves to whether the user has given it. */
type Confirm = () => Promise<boolean>;

const ConfirmContext = createContext<Confirm>(() => Promise.resolve(false));

interface StepUpProviderProps {
  title: string;
  /** The content of the dialog. */
  question: ComponentType<StepUpQuestionProps>;
  children: ComponentChildren;
}

/** Lets the pages in it ask for a fresh proof, in a dialog. */
export function StepUpProvider({ title, question: Question, children }: StepUpProviderProps) {
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
        <Dialog title={title} onClose={() => end(false)}>
          <Question onVerified={() => end(true)} onCancel={() => end(false)} />
        </Dialog>
      )}
    </ConfirmContext.Provider>
  );
}

/** How a page asks for a fresh proof. */
export interface StepUp {
  /** Runs a call. If it answers that the session is not fresh, asks for a proof and runs the call once more. */
  whenFresh: <Data>(call: () => Promise<Result<Data>>) => Promise<Result<Data>>;
  /** Asks for a proof, also if the session is fresh. */
  confirm: Confirm;
}

/** Returns how to ask for a fresh proof. The page must be in a `StepUpProvider`. */
export function useStepUp(): StepUp {
  const confirm = useContext(ConfirmContext);
  const whenFresh: StepUp['whenFresh'] = async (call) => {
    const result = await call();
    const isStale = result.error?.code === 'step_up_required';
    return isStale && (await confirm()) ? call() : result;
  };
  return { whenFresh, confirm };
}
