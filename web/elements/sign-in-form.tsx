import type { SecondFactor, SignInChallenge } from '@portico/client';
import type { ComponentChildren } from 'preact';
import type { Locale } from '../app/locales.ts';
import de from '../i18n/element/de.ts';
import en from '../i18n/element/en.ts';
import es from '../i18n/element/es.ts';
import fr from '../i18n/element/fr.ts';

const TEXTS: Record<Locale, typeof en> = { en, de, fr, es };

/** What the form shows. */
export interface FormState {
  status: 'ready' | 'busy' | 'done';
  /** The code of the error of the last call. */
  code?: string | undefined;
  /** How many seconds the user has to wait. */
  wait: number;
  /** The names of the fields that are empty. */
  empty: string[];
  showsPassword: boolean;
  /** The second step of the sign-in, if it has come to that: what the server asks for, and how the user answers. */
  step?: { challenge: SignInChallenge; method: SecondFactor; misses: number } | undefined;
}

interface SignInFormProps {
  state: FormState;
  locale: Locale;
  /** Begins the ids of the fields, which are unique in the page. */
  id: string;
  forgotUrl: string;
  onSubmit: (event: SubmitEvent) => void;
  onShowPassword: (shows: boolean) => void;
  /** Chooses how the user answers in the second step, or gives the sign-in up. */
  onMethod: (method: SecondFactor | 'cancel') => void;
}

/** The form of the element: address and password or, in the second step, a code; and why the last attempt has failed. */
export function SignInForm({ state, locale, id, forgotUrl, onSubmit, onShowPassword, onMethod }: SignInFormProps) {
  const texts = TEXTS[locale];
  if (state.status === 'done') return <p role="status">{texts.done}</p>;
  const cannotSend = state.status === 'busy' || state.wait > 0;
  const field = (name: string, label: string, input: (attributes: InputAttributes) => ComponentChildren, below?: ComponentChildren) => {
    const isEmpty = state.empty.includes(name);
    const describedBy = isEmpty ? `${id}-${name}-problem` : undefined;
    return (
      <div class="field">
        <label class="label" for={`${id}-${name}`}>{label}</label>
        {input({
          id: `${id}-${name}`,
          name,
          required: true,
          'aria-invalid': isEmpty ? 'true' : undefined,
          'aria-describedby': describedBy,
        })}
        {isEmpty && <p class="problem" id={describedBy}>{texts.required}</p>}
        {below}
      </div>
    );
  };
  const end = (
    <>
      <div role="alert">{state.code && describe(state.code, texts)}</div>
      {state.wait > 0 && <div class="problem">{texts.retryIn(state.wait)}</div>}
      <button type="submit" aria-disabled={cannotSend ? 'true' : undefined}>
        {texts.submit}
      </button>
    </>
  );
  if (state.step) {
    const { challenge, method } = state.step;
    const isApp = method === 'totp';
    const days = challenge.trusted_device_days;
    return (
      <form noValidate onSubmit={onSubmit} lang={locale} key={method}>
        {field('code', isApp ? texts.appCode : texts.recoveryCode, (attributes) => (
          <input {...attributes} autocomplete={isApp ? 'one-time-code' : 'off'} inputMode={isApp ? 'numeric' : 'text'} />
        ))}
        {days > 0 && (
          <label class="show">
            <input type="checkbox" name="trust" />
            {texts.trust(days)}
          </label>
        )}
        {end}
        <button type="button" class="plain" onClick={() => onMethod(isApp ? 'recovery_code' : 'totp')}>
          {isApp ? texts.useRecovery : texts.useApp}
        </button>
        <button type="button" class="plain" onClick={() => onMethod('cancel')}>
          {texts.cancel}
        </button>
      </form>
    );
  }
  const show = (
    <label class="show">
      <input type="checkbox" checked={state.showsPassword} onChange={(event) => onShowPassword(event.currentTarget.checked)} />
      {texts.show}
    </label>
  );
  return (
    <form noValidate onSubmit={onSubmit} lang={locale} key="password">
      {field('email', texts.email, (attributes) => (
        <input {...attributes} type="email" autocomplete="username" />
      ))}
      {field(
        'password',
        texts.password,
        (attributes) => (
          <input {...attributes} type={state.showsPassword ? 'text' : 'password'} autocomplete="current-password" />
        ),
        show,
      )}
      {end}
      <a href={forgotUrl}>{texts.forgot}</a>
    </form>
  );
}

interface InputAttributes {
  id: string;
  name: string;
  required: true;
  'aria-invalid': 'true' | undefined;
  'aria-describedby': string | undefined;
}

function describe(code: string, texts: typeof en): string {
  if (code === 'invalid_credentials' || code === 'validation_failed') return texts.wrong;
  if (code === 'invalid_code') return texts.wrongCode;
  if (code === 'ended') return texts.ended;
  if (code === 'client_suspended') return texts.suspended;
  if (code === 'too_many_requests') return '';
  return code === 'network_error' ? texts.unreachable : texts.failed;
}
