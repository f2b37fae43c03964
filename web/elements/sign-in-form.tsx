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
}

interface SignInFormProps {
  state: FormState;
  locale: Locale;
  /** Begins the ids of the fields, which are unique in the page. */
  id: string;
  forgotUrl: string;
  onSubmit: (event: SubmitEvent) => void;
  onShowPassword: (shows: boolean) => void;
}

/** The form of the element: address, password, and why the last attempt has failed. */
export function SignInForm({ state, locale, id, forgotUrl, onSubmit, onShowPassword }: SignInFormProps) {
  const texts = TEXTS[locale];
  if (state.status === 'done') return <p role="status">{texts.done}</p>;
  const cannotSend = state.status === 'busy' || state.wait > 0;
  const field = (name: 'email' | 'password') => {
    const isEmpty = state.empty.includes(name);
    return {
      label: texts[name],
      problem: isEmpty && <p class="problem" id={`${id}-${name}-problem`}>{texts.required}</p>,
      attributes: {
        id: `${id}-${name}`,
        name,
        required: true,
        'aria-invalid': isEmpty ? ('true' as const) : undefined,
        'aria-describedby': isEmpty ? `${id}-${name}-problem` : undefined,
      },
    };
  };
  const [email, password] = [field('email'), field('password')];
  return (
    <form noValidate onSubmit={onSubmit} lang={locale}>
      <div class="field">
        <label class="label" for={email.attributes.id}>{email.label}</label>
        <input {...email.attributes} type="email" autocomplete="username" />
        {email.problem}
      </div>
      <div class="field">
        <label class="label" for={password.attributes.id}>{password.label}</label>
        <input {...password.attributes} type={state.showsPassword ? 'text' : 'password'} autocomplete="current-password" />
        {password.problem}
        <label class="show">
          <input type="checkbox" checked={state.showsPassword} onChange={(event) => onShowPassword(event.currentTarget.checked)} />
          {texts.show}
        </label>
      </div>
      <div role="alert">{state.code && describe(state.code, texts)}</div>
      {state.wait > 0 && <div class="problem">{texts.retryIn(state.wait)}</div>}
      <button type="submit" aria-disabled={cannotSend ? 'true' : undefined}>
        {texts.submit}
      </button>
      <a href={forgotUrl}>{texts.forgot}</a>
    </form>
  );
}

function describe(code: string, texts: typeof en): string {
  if (code === 'invalid_credentials' || code === 'validation_failed') return texts.wrong;
  if (code === 'client_suspended') return texts.suspended;
  if (code === 'too_many_requests') return '';
  return code === 'network_error' ? texts.unreachable : texts.failed;
}
