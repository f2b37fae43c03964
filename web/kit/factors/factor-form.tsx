import type { SecondFactor } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Result } from '../../app/call.ts';
import { useTexts } from '../../app/texts.ts';
import { Form, textOf } from '../form.tsx';
import { CodeField, digitsOf, useRefusedCode } from './code-field.tsx';

/** The second factor that a user has entered. */
export type EnteredFactor = { code: string } | { recovery_code: string };

interface FactorFormProps<Data> {
  /** What the user can enter, the usual one first. */
  methods: readonly SecondFactor[];
  send: (factor: EnteredFactor, values: FormData) => Promise<Result<Data>>;
  onSent: (data: Data | undefined) => unknown;
  /** Runs after a code that is not correct. */
  onRefused?: () => void;
  submit: string;
  actions?: ComponentChildren;
  /** Further fields. */
  children?: ComponentChildren;
}

/** Asks for a code of the authenticator app, or for a recovery code. */
export function FactorForm<Data>({ methods, send, onSent, onRefused, submit, actions, children }: FactorFormProps<Data>) {
  const { code, recovery } = useTexts('secondStep');
  const [method, setMethod] = useState(methods[0] ?? 'totp');
  const [wasSwitched, setSwitched] = useState(false);
  const { field, isWrong, onProblem, forget } = useRefusedCode(onRefused);
  const isApp = method === 'totp';
  const { label, hint, wrong } = isApp ? code : recovery;
  const other = methods.find((each) => each !== method);
  const switchTo = (next: SecondFactor) => {
    forget();
    setSwitched(true);
    setMethod(next);
  };
  const sendFactor = (values: FormData) => {
    const typed = textOf(values, 'code');
    return send(isApp ? { code: digitsOf(typed) } : { recovery_code: typed.trim() }, values);
  };
  return (
    <>
      {/* A new key empties the field. */}
      <Form key={method} send={sendFactor} onSent={onSent} onProblem={onProblem} submit={submit} actions={actions}>
        <CodeField
          name="code"
          label={label}
          hint={hint}
          kind={isApp ? 'digits' : 'recovery'}
          problem={isWrong ? wrong : undefined}
          takesFocus={wasSwitched}
          inputRef={field}
        />
        {children}
      </Form>
      {other && (
        <button type="button" class="p-text-button" onClick={() => switchTo(other)}>
          {isApp ? code.useRecovery : recovery.useApp}
        </button>
      )}
    </>
  );
}
