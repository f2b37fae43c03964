import type { PorticoError } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useTexts } from '../../../app/texts.ts';
import { Button } from '../../../kit/button.tsx';
import { ProblemNotice } from '../../../kit/problem-notice.tsx';
import { requestCode, useCodeState, type CodeFlow } from './code-flow.ts';

interface ResendProps {
  flow: CodeFlow;
  onFlow: (flow: CodeFlow) => void;
  actions?: ComponentChildren;
}

/** The button that mails a new code. It waits until the mail can have arrived. */
export function Resend({ flow, onFlow, actions }: ResendProps) {
  const { code: texts } = useTexts('access');
  const { status, resendIn } = useCodeState(flow);
  const [problem, setProblem] = useState<PorticoError>();
  const [wasResent, setWasResent] = useState(false);
  const isLive = status === 'live';
  const row = useFocusWhen(!isLive);

  const resend = async () => {
    const { data, error } = await requestCode(flow.email, flow);
    setProblem(error);
    setWasResent(data !== undefined);
    if (data) onFlow(data);
  };
  return (
    <>
      <p role="status" class={wasResent && isLive ? 'p-small' : 'p-hidden'}>
        {wasResent && isLive ? texts.resent : ''}
      </p>
      {problem && <ProblemNotice problem={problem} />}
      <div class="p-field">
        <div class="p-actions" ref={row}>
          <Button kind={isLive ? 'secondary' : 'primary'} small={isLive} disabled={resendIn > 0} onClick={resend}>
            {texts.resend}
          </Button>
          {actions}
        </div>
        {resendIn > 0 && <p class="p-hint">{texts.resendIn(resendIn)}</p>}
      </div>
    </>
  );
}

/** Moves the focus to the first button of an element once `isMoved` holds, if what had the focus has gone. */
function useFocusWhen(isMoved: boolean) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isMoved && document.activeElement === document.body) element.current?.querySelector('button')?.focus();
  }, [isMoved]);
  return element;
}
