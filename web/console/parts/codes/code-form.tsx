import type { PorticoError } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useFormatLocale } from '../../../app/format-locale.ts';
import { useTexts } from '../../../app/texts.ts';
import type { Result } from '../../../app/call.ts';
import { Form, textOf } from '../../../kit/form.tsx';
import { Notice } from '../../../kit/notice.tsx';
import { TextField } from '../../../kit/text-field.tsx';
import { expiryOf, triesLeft, useCodeState, type CodeFlow } from './code-flow.ts';
import { Resend } from './resend.tsx';

interface CodeFormProps<Data> {
  flow: CodeFlow;
  /** Says where the code was mailed to. */
  sent: string;
  /** Receives the flow after a wrong code, and the flow of a new code. */
  onFlow: (flow: CodeFlow) => void;
  /** Checks the code, which is without spaces. */
  verify: (code: string) => Promise<Result<Data>>;
  onVerified: (data: Data | undefined) => unknown;
  /** Runs after a failed check. Returns `true` if the error needs no message here. */
  onProblem?: (problem: PorticoError) => boolean;
  submit: string;
  /** Further buttons below the form. */
  actions?: ComponentChildren;
}

/**
 * Asks for a code that was mailed. It says when the code has expired or can no longer be used, and mails a new one
 * without asking for the address again (WCAG 2.2.1).
 */
export function CodeForm<Data>({ actions, ...props }: CodeFormProps<Data>) {
  const { code: texts } = useTexts('access');
  const { flow, onFlow } = props;
  const { status } = useCodeState(flow);
  return (
    <>
      {status === 'live' ? (
        <CodeEntry key={flow.sentAt} {...props} />
      ) : (
        <Notice kind="warning" title={texts[status].title}>
          <p>{texts[status].body}</p>
        </Notice>
      )}
      <Resend flow={flow} onFlow={onFlow} actions={actions} />
    </>
  );
}

function CodeEntry<Data>({ flow, sent, onFlow, verify, onVerified, onProblem, submit }: CodeFormProps<Data>) {
  const { code: texts } = useTexts('access');
  const locale = useFormatLocale();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);

  const isWrong = ({ code }: PorticoError) => code === 'invalid_code';
  const countMiss = (problem: PorticoError) => {
    if (isWrong(problem)) onFlow({ ...flow, misses: flow.misses + 1 });
    field.current?.select();
    return onProblem?.(problem);
  };
  const time = new Intl.DateTimeFormat(locale, { timeStyle: 'short' }).format(expiryOf(flow));
  const hint = (
    <>
      <p>{sent}</p>
      <p>{texts.validUntil(time)}</p>
    </>
  );
  return (
    <Form
      send={(values) => verify(textOf(values, 'code').replace(/[\s-]+/g, ''))}
      onSent={onVerified}
      onProblem={countMiss}
      describe={(problem) => (isWrong(problem) ? texts.wrong(triesLeft(flow)) : undefined)}
      submit={submit}
    >
      <div class="p-code">
        <TextField name="code" label={texts.label} hint={hint} autocomplete="one-time-code" inputMode="numeric" required inputRef={field} />
      </div>
    </Form>
  );
}
