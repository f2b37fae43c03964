// The custom element `<portico-sign-in>`: the sign-in form in a page of another application of the same site.
// docs/embedding.md describes it.
import {
  cancelSignIn,
  createHttpClient,
  signIn,
  verifySecondFactor,
  type PorticoError,
  type SecondFactor,
  type Session,
  type SignInChallenge,
} from '@portico/client';
import { render } from 'preact';
import { localeOf } from '../app/locales.ts';
import css from './portico-sign-in.css?inline';
import { SignInForm, type FormState } from './sign-in-form.tsx';

const sheet = new CSSStyleSheet();
sheet.replaceSync(css);
let count = 0;
/** After so many wrong codes, the server accepts no code of the sign-in any more. */
const MAX_MISSES = 5;

/** What the event `signed-in` tells the page. It contains no token: the session is in cookies. */
type SignedInDetail = Pick<Session, 'user' | 'client'>;

class PorticoSignIn extends HTMLElement {
  static readonly observedAttributes = ['base-url', 'locale', 'tenant'];
  readonly #id = `portico-sign-in-${(count += 1)}`;
  readonly #brand = new CSSStyleSheet();
  #state: FormState = { status: 'ready', wait: 0, empty: [], showsPassword: false };
  #timer: number | undefined;
  /** Ends the second step when the server would no longer accept it. */
  #expiry: number | undefined;
  /** The tenant whose colours are loaded. */
  #tenant: string | null = null;

  connectedCallback(): void {
    const root = this.getRootNode() as Document | ShadowRoot;
    for (const each of [sheet, this.#brand]) if (!root.adoptedStyleSheets.includes(each)) root.adoptedStyleSheets.push(each);
    void this.#loadBrand();
    this.#show({});
  }

  disconnectedCallback(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#expiry);
    render(null, this);
  }

  attributeChangedCallback(): void {
    if (!this.isConnected) return;
    void this.#loadBrand();
    this.#show({});
  }

  /** The address of Portico. By default, it is where this file is from. */
  get #baseUrl(): string {
    return new URL(this.getAttribute('base-url') ?? import.meta.url, document.baseURI).origin;
  }

  #show(change: Partial<FormState>): void {
    this.#state = { ...this.#state, ...change };
    const tenant = this.getAttribute('tenant');
    const forgotUrl = `${this.#baseUrl}/portal/forgot-password${tenant ? `?tenant=${encodeURIComponent(tenant)}` : ''}`;
    render(
      <SignInForm
        state={this.#state}
        locale={localeOf(this.getAttribute('locale') ?? (document.documentElement.lang || navigator.language))}
        id={this.#id}
        forgotUrl={forgotUrl}
        onSubmit={(event) => void this.#send(event)}
        onShowPassword={(showsPassword) => this.#show({ showsPassword })}
        onMethod={(method) => this.#choose(method)}
      />,
      this,
    );
  }

  async #send(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.#state.status !== 'ready' || this.#state.wait > 0) return;
    const values = new FormData(event.target as HTMLFormElement);
    const { step } = this.#state;
    const names = step ? ['code'] : ['email', 'password'];
    const empty = names.filter((name) => !values.get(name));
    this.#show({ empty, code: undefined });
    if (empty[0]) return this.#focus(empty[0]);

    this.#show({ status: 'busy' });
    const { data, error } = await (step ? this.#verify(step, values) : this.#signIn(values));
    if (!data) this.#fail(error);
    else if (data.status === 'signed_in') this.#finish(data);
    else if (data.status === 'mfa_required') this.#begin(data);
    else this.#announceStep(data);
  }

  // The page may be on another origin of the same site, which sends and receives cookies only with `include`.
  get #client() {
    return createHttpClient({ baseUrl: this.#baseUrl, credentials: 'include' });
  }

  #signIn(values: FormData) {
    return signIn({ client: this.#client, body: { email: String(values.get('email')), password: String(values.get('password')) } });
  }

  #verify({ challenge: { challenge }, method }: NonNullable<FormState['step']>, values: FormData) {
    const code = String(values.get('code')).trim();
    const factor = method === 'totp' ? { code: code.replace(/[\s-]+/g, '') } : { recovery_code: code };
    return verifySecondFactor({ client: this.#client, body: { challenge, ...factor, trust_device: values.has('trust') } });
  }

  /** Shows the second step. */
  #begin(challenge: SignInChallenge): void {
    this.#show({ status: 'ready', showsPassword: false, step: { challenge, method: challenge.methods[0] ?? 'totp', misses: 0 } });
    this.#focus('code');
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.#show({ step: undefined, code: 'ended' }), challenge.expires_in * 1000);
  }

  #choose(method: SecondFactor | 'cancel'): void {
    const { step } = this.#state;
    if (!step) return;
    if (method === 'cancel') {
      const { challenge } = step.challenge;
      void cancelSignIn({ client: this.#client, body: { challenge } });
      clearTimeout(this.#expiry);
    }
    this.#show({ step: method === 'cancel' ? undefined : { ...step, method }, empty: [], code: undefined });
    this.#focus(method === 'cancel' ? 'email' : 'code');
  }

  #focus(name: string): void {
    this.querySelector<HTMLElement>(`[name=${name}]`)?.focus();
  }

  /**
   * The setup of a second factor needs a page of Portico. Browsers keep this file for five minutes, so the server may also
   * be newer and ask for a step that this file lacks.
   */
  #announceStep({ status }: { status: string }): void {
    this.#show({ status: 'ready' });
    this.dispatchEvent(new CustomEvent('needs-step', { bubbles: true, detail: { step: status } }));
  }

  #finish({ user, client }: Session): void {
    clearTimeout(this.#expiry);
    this.#show({ status: 'done', step: undefined });
    this.dispatchEvent(new CustomEvent<SignedInDetail>('signed-in', { bubbles: true, detail: { user, client } }));
  }

  #fail(problem: PorticoError): void {
    const wait = 'retry_after' in problem ? (problem.retry_after ?? 0) : 0;
    this.#show({ status: 'ready', code: problem.code, wait, ...(problem.code === 'invalid_code' && this.#missed()) });
    clearInterval(this.#timer);
    if (wait > 0) this.#timer = setInterval(() => this.#countDown(), 1000);
  }

  /** Counts a wrong code. The server ends the sign-in after some. */
  #missed(): Partial<FormState> {
    const { step } = this.#state;
    const misses = (step?.misses ?? 0) + 1;
    return step && misses < MAX_MISSES ? { step: { ...step, misses } } : { step: undefined, code: 'ended' };
  }

  #countDown(): void {
    const wait = this.#state.wait - 1;
    this.#show({ wait });
    if (wait === 0) clearInterval(this.#timer);
  }

  /** Loads the colours of the tenant. Without an answer, the form keeps those that it has. */
  async #loadBrand(): Promise<void> {
    const tenant = this.getAttribute('tenant');
    if (tenant === this.#tenant) return;
    this.#tenant = tenant;
    if (!tenant) return this.#brand.replaceSync('');
    const address = `${this.#baseUrl}/api/portal/brand.css?tenant=${encodeURIComponent(tenant)}`;
    const response = await fetch(address).catch(() => undefined);
    const selector = `portico-sign-in[tenant='${CSS.escape(tenant)}']`;
    if (response?.ok) this.#brand.replaceSync((await response.text()).replace(':root', selector));
  }
}

if (!customElements.get('portico-sign-in')) customElements.define('portico-sign-in', PorticoSignIn);
