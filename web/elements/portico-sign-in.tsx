// The custom element `<portico-sign-in>`: the sign-in form in a page of another application of the same site.
// docs/embedding.md describes it.
import { createHttpClient, signIn, type PorticoError, type Session } from '@portico/client';
import { render } from 'preact';
import { localeOf } from '../app/locales.ts';
import css from './portico-sign-in.css?inline';
import { SignInForm, type FormState } from './sign-in-form.tsx';

const sheet = new CSSStyleSheet();
sheet.replaceSync(css);
let count = 0;

/** What the event `signed-in` tells the page. It contains no token: the session is in cookies. */
type SignedInDetail = Pick<Session, 'user' | 'client'>;

class PorticoSignIn extends HTMLElement {
  static readonly observedAttributes = ['base-url', 'locale', 'tenant'];
  readonly #id = `portico-sign-in-${(count += 1)}`;
  readonly #brand = new CSSStyleSheet();
  #state: FormState = { status: 'ready', wait: 0, empty: [], showsPassword: false };
  #timer: number | undefined;
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
      />,
      this,
    );
  }

  async #send(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.#state.status !== 'ready' || this.#state.wait > 0) return;
    const form = event.target as HTMLFormElement;
    const values = new FormData(form);
    const [email, password] = [String(values.get('email')), String(values.get('password'))];
    const empty = ['email', 'password'].filter((name) => !values.get(name));
    this.#show({ empty, code: undefined });
    if (empty[0]) return (form.elements.namedItem(empty[0]) as HTMLElement).focus();

    this.#show({ status: 'busy' });
    // The page may be on another origin of the same site, which sends and receives cookies only with `include`.
    const client = createHttpClient({ baseUrl: this.#baseUrl, credentials: 'include' });
    const { data, error } = await signIn({ client, body: { email, password } });
    if (!data) this.#fail(error);
    else if (data.status === 'signed_in') this.#finish(data);
    else this.#announceStep(data);
  }

  /** Browsers keep this file for five minutes, so the server may be newer and ask for a step that this file lacks. */
  #announceStep({ status }: { status: string }): void {
    this.#show({ status: 'ready' });
    this.dispatchEvent(new CustomEvent('needs-step', { bubbles: true, detail: { step: status } }));
  }

  #finish({ user, client }: Session): void {
    this.#show({ status: 'done' });
    this.dispatchEvent(new CustomEvent<SignedInDetail>('signed-in', { bubbles: true, detail: { user, client } }));
  }

  #fail(problem: PorticoError): void {
    const wait = 'retry_after' in problem ? (problem.retry_after ?? 0) : 0;
    this.#show({ status: 'ready', code: problem.code, wait });
    clearInterval(this.#timer);
    if (wait > 0) this.#timer = setInterval(() => this.#countDown(), 1000);
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
