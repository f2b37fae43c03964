import type { PorticoError, StaffSession, StepUp } from '@portico/client';
import { useEffect, useState } from 'preact/hooks';
import { useTexts } from '../../../app/texts.ts';
import { Button } from '../../../kit/button.tsx';
import type { Result } from '../../../app/call.ts';
import { ProblemNotice } from '../../../kit/problem-notice.tsx';
import { Skeleton } from '../../../kit/skeleton.tsx';
import { codeState, forgetCodeFlow, requestCode, useCodeFlow } from './code-flow.ts';
import { CodeForm } from './code-form.tsx';
import { useSession } from '../session.tsx';

interface StepUpCodeProps {
  verify: (body: StepUp) => Promise<Result<StaffSession>>;
  onVerified: () => void;
  onCancel: () => void;
  /** Runs if the user has second factors, so that a mailed code proves nothing. */
  onFactorRequired: () => void;
}

/** Mails a code to the address of the staff user and asks for it. A code that still lives is used again. */
export function StepUpCode({ verify, onVerified, onCancel, onFactorRequired }: StepUpCodeProps) {
  const texts = useTexts('access').stepUp;
  const { retry } = useTexts('common');
  const { cancel: cancelText } = useTexts('signedIn');
  const { email } = useSession().user;
  const [kept, setFlow] = useCodeFlow('step-up');
  const [isUsable, setUsable] = useState(kept?.email === email && codeState(kept, Date.now()).status === 'live');
  const [problem, setProblem] = useState<PorticoError>();
  const flow = isUsable ? kept : undefined;

  const request = async () => {
    const { data, error } = await requestCode(email);
    setProblem(error);
    if (!data) return;
    setFlow(data);
    setUsable(true);
  };
  useEffect(() => {
    if (!isUsable) void request();
  }, []);

  const cancel = (
    <Button kind="plain" small onClick={onCancel}>
      {cancelText}
    </Button>
  );
  const done = () => {
    forgetCodeFlow('step-up');
    onVerified();
  };
  return (
    <div class="p-stack">
      <p>{texts.intro}</p>
      {problem && (
        <ProblemNotice problem={problem}>
          <div class="p-actions">
            <Button small onClick={request}>
              {retry}
            </Button>
            {cancel}
          </div>
        </ProblemNotice>
      )}
      {!flow && !problem && <Skeleton lines={4} />}
      {flow && (
        <CodeForm
          flow={flow}
          sent={texts.sent(flow.email)}
          onFlow={setFlow}
          verify={(code) => verify({ flow: flow.id, code })}
          onVerified={done}
          onProblem={({ code }) => {
            if (code === 'mfa_required') onFactorRequired();
            return code === 'mfa_required';
          }}
          submit={texts.submit}
          actions={cancel}
        />
      )}
    </div>
  );
}
