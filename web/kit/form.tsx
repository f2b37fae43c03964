import type { PorticoError } from '@portico/client';
import type { Result } from '../app/call.ts';
import { createContext, type ComponentChildren } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import { fieldProblems, retryAfter } from '../app/problem.ts';
import { loadedTexts, loadTexts, useLocale, useTexts } from '../app/texts.ts';
import { Button } from './button.tsx';
import { useCountdown } from './countdown.tsx';
import { ProblemNotice } from './problem-notice.tsx';

interface FormProps<Data> {
  /** Sends the values of the form. Only one call runs at a time. */
  send: (values: FormData) => Promise<Result<Data>>;
  /** Runs after a successful call. The form stays busy until the returned promise ends. */
  onSent: (data: Data | undefined) => unknown;
  /** Runs after a failed call. Returns `true` if the page shows the error itself. */
  onProblem?: ((problem: PorticoError) => boolean | void) | undefined;
  /** Returns a sentence for an error, in place of the general one. */
  describe?: ((problem: PorticoError) => string | undefined) | undefined;
  /** The text of the button that sends the form. */
  submit: string;
  submitKind?: 'primary' | 'secondary' | 'danger';
  /** The value that the errors are about, such as an address. When it changes, the last error goes. */
  about?: string | undefined;
  /** Further buttons beside the one that sends the form. */
  actions?: ComponentChildren;
  children: ComponentChildren;
}

/** The sentences for invalid fields, under the names of the fields. */
const FieldProblems = createContext<Record<string, string>>({});

/** Returns the sentence for a field that is not valid. */
export const useFieldProblem = (name: string): string | undefined => useContext(FieldProblems)[name];

/**
 * A form that calls an operation. It shows invalid fields beside them, moves the focus to the first one, and shows any
 * other error above the button. While a limit of the server holds, it cannot be sent.
 */
export function Form<Data>({ send, onSent, onProblem, describe, submit, submitKind = 'primary', about, actions, children }: FormProps<Data>) {
  const texts = useTexts('common');
  const locale = useLocale();
  const form = useRef<HTMLFormElement>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<PorticoError>();
  const [missing, setMissing] = useState<Record<string, string>>({});
  const wait = useCountdown(problem && retryAfter(problem), problem);
  const invalid = { ...(problem && fieldProblems(problem, loadedTexts(locale, 'problems'))), ...missing };

  useEffect(() => setProblem(undefined), [about]);

  const sendForm = async (event: SubmitEvent) => {
    event.preventDefault();
    const element = event.currentTarget as HTMLFormElement;
    if (busy || wait > 0) return;
    const empty = missingFields(element, texts.required);
    setMissing(empty);
    setProblem(undefined);
    if (Object.keys(empty).length > 0) return focusFirst(element, empty);
    setBusy(true);
    try {
      // The sentences for errors come while the request runs, so pages that see no error do not wait for them.
      const loading = loadTexts(locale, ['problems']).catch(() => undefined);
      const [{ data, error }] = await Promise.all([send(new FormData(element)), loading]);
      if (!error) return await onSent(data);
      if (onProblem?.(error)) return;
      setProblem(error);
      focusFirst(element, fieldProblems(error, loadedTexts(locale, 'problems')));
    } finally {
      setBusy(false);
    }
  };
  const shown = problem && !hasOnlyFields(problem, form.current) ? problem : undefined;
  return (
    <form class="p-form" noValidate onSubmit={(event) => void sendForm(event)} ref={form}>
      <FieldProblems.Provider value={invalid}>{children}</FieldProblems.Provider>
      {shown && <ProblemNotice problem={shown} sentence={describe?.(shown)} />}
      <div class="p-actions">
        <Button kind={submitKind} type="submit" busy={busy} disabled={wait > 0}>
          {submit}
        </Button>
        {actions}
      </div>
    </form>
  );
}

/** Returns a sentence for each required field without a value. */
function missingFields(form: HTMLFormElement, sentence: string): Record<string, string> {
  const fields = [...form.elements] as HTMLInputElement[];
  return Object.fromEntries(fields.filter((field) => field.required && !field.value).map(({ name }) => [name, sentence]));
}

/** Moves the focus to the first field that is not valid, once its message is in the page. */
function focusFirst(form: HTMLFormElement, invalid: Record<string, string>): void {
  requestAnimationFrame(() => {
    const fields = [...form.elements] as HTMLInputElement[];
    fields.find(({ name }) => name in invalid)?.focus();
  });
}

/** Whether every error of a problem stands beside a field of the form. */
function hasOnlyFields(problem: PorticoError, form: HTMLFormElement | null): boolean {
  if (!('errors' in problem) || !problem.errors || !form) return false;
  return problem.errors.every(({ pointer }) => form.elements.namedItem(pointer.slice(1).replaceAll('/', '.')) !== null);
}

/** Returns the text of a field, or an empty text. */
export const textOf = (values: FormData, name: string): string => String(values.get(name) ?? '');

/** Returns the text of a field, or `undefined` if it is empty. */
export const optionalTextOf = (values: FormData, name: string): string | undefined => textOf(values, name).trim() || undefined;
