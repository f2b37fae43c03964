import type { PorticoError } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Result } from '../../app/call.ts';
import { useTexts } from '../../app/texts.ts';
import { Button } from '../button.tsx';
import { useCountdown } from '../countdown.tsx';
import { Form, textOf } from '../form.tsx';
import { ProblemNotice } from '../problem-notice.tsx';
import { CodeField, digitsOf, useRefusedCode } from './code-field.tsx';

/** How long the user waits for a mail before they can request another one. */
const RESEND_WAIT_SECONDS = 30;

interface MailedCodeProps<Data> {
  /** Mails a code. An earlier one becomes invalid. */
  send: () => Promise<Result<unknown>>;
  verify: (code: string) => Promise<Result<Data>>;
  onVerified: (data: Data | undefined) => unknown;
  actions: ComponentChildren;
}

/** Mails a code to the user of a sign-in, and asks for it. */
export function MailedCode<Data>({ send, verify, onVerified, actions }: MailedCodeProps<Data>) {
  const { mail: texts } = useTexts('secondStep');
  const [times, setTimes] = useState(0);
  const [problem, setProblem] = useState<PorticoError>();
  const { field, isWrong, onProblem, forget } = useRefusedCode();
  const wait = useCountdown(times > 0 ? RESEND_WAIT_SECONDS : 0, times);
  if (times === 0) {
    return (
      <Form send={send} onSent={() => setTimes(1)} submit={texts.send} actions={actions}>
        <p>{texts.intro}</p>
      </Form>
    );
  }
  const resend = async () => {
    const { error } = await send();
    setProblem(error);
    if (error) return;
    forget();
    setTimes(times + 1);
  };
  return (
    <>
      <Form
        key={times}
        send={(values) => verify(digitsOf(textOf(values, 'code')))}
        onSent={onVerified}
        onProblem={onProblem}
        submit={texts.submit}
        actions={actions}
      >
        <p role="status">{texts.sent}</p>
        <CodeField name="code" label={texts.label} problem={isWrong ? texts.wrong : undefined} takesFocus inputRef={field} />
      </Form>
      {problem && <ProblemNotice problem={problem} />}
      <div class="p-field">
        <div class="p-actions">
          <Button small disabled={wait > 0} onClick={resend}>
            {texts.resend}
          </Button>
        </div>
        {wait > 0 && <p class="p-hint">{texts.resendIn(wait)}</p>}
      </div>
    </>
  );
}
