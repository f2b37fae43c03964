// A tab of a visitor. It watches each page that it shows, and has the few acts that stories consist of.
import assert from 'node:assert/strict';
import { eventually } from './eventually.mjs';

/** What Chromium writes to the console for answers that did not arrive or came from a broken proxy. */
const BROKEN_NETWORK = /^Failed to load resource/;

export class Tab {
  #tokens = [];
  #hosts;

  constructor(page, visitor) {
    this.page = page;
    this.visitor = visitor;
    this.#hosts = new Set([new URL(visitor.world.origin).host]);
    page.on('console', (message) => this.#watchConsole(message));
    page.on('pageerror', (error) => this.#report(`error: ${error.stack}`));
    page.on('request', (request) => this.#watchRequest(request));
  }

  /** Opens a path, or the link of a mail. */
  async open(address) {
    const [, token] = address.split('#token=');
    if (token) this.#tokens.push(token);
    await this.page.goto(address);
  }

  /** Waits for a page with this heading that has loaded its data, and checks the page. */
  async shows(heading) {
    await this.page.getByRole('heading', { level: 1, name: heading, exact: typeof heading === 'string' }).waitFor();
    // The page of a link has its heading while the link is checked.
    await this.page.waitForFunction(() => !document.querySelector('.p-skeleton, .p-checking:not(:empty)'));
    await this.check();
  }

  /** Waits for a text. */
  sees = (text) => this.page.getByText(text).filter({ visible: true }).first().waitFor();

  /** Asserts that a text is not on the page. */
  async misses(text) {
    assert.equal(await this.page.getByText(text).filter({ visible: true }).count(), 0, `${text} is shown`);
  }

  /** Waits until an address is shown. */
  isAt = (path) => this.page.waitForURL(typeof path === 'string' ? (url) => url.pathname + url.search === path : path);

  /** Fills a field. */
  fill = (label, value) => this.field(label).fill(value);

  /** Waits until a field has a value. */
  holds = (label, value) => eventually(`${label} is "${value}"`, async () => (await this.field(label).inputValue()) === value);

  /** Presses a button. */
  press = (name) => this.button(name).click();

  /** Follows a link. */
  follow = (name) => this.page.getByRole('link', { name, exact: typeof name === 'string' }).first().click();

  field = (label) => this.page.getByLabel(label, { exact: typeof label === 'string' });
  button = (name) => this.page.getByRole('button', { name, exact: typeof name === 'string' }).first();

  /** Fills several fields and presses a button. */
  async send(fields, button) {
    for (const [label, value] of Object.entries(fields)) await this.fill(label, value);
    await this.press(button);
  }

  /** Chooses an item of the menu of a row. */
  async act(name, item) {
    await this.press(`Actions for ${name}`);
    await this.page.getByRole('button', { name: item, exact: true }).filter({ visible: true }).click();
  }

  /** Confirms in the dialog that is open. */
  confirm = (name) => this.page.getByRole('dialog').getByRole('button', { name, exact: true }).click();

  /** Signs out by the menu of the user. */
  async signOut() {
    await this.press(/^(Account|Menu) of /);
    await this.press('Sign out');
  }

  /** Says that this story breaks the network. */
  expectBrokenNetwork() {
    this.visitor.expect(BROKEN_NETWORK);
  }

  /** Says that this story leads to another host. */
  expectHost(host) {
    this.#hosts.add(host);
  }

  /** Records whether the page is wider than the window, or shows the token of the link that led to it. */
  async check() {
    const { overflow, title, address } = await this.page.evaluate(() => ({
      overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      title: document.title,
      address: location.href,
    }));
    if (overflow > 0) this.#report(`the page is ${overflow} px wider than the window`);
    if (this.#tokens.length > 0) this.#checkTokens([title, address, ...(await this.#history())]);
  }

  #checkTokens(texts) {
    for (const token of this.#tokens) {
      const found = texts.find((text) => text.includes(token));
      if (found) this.#report(`the token is in ${found.replace(token, 'TOKEN')}`);
    }
  }

  async #history() {
    const session = await this.page.context().newCDPSession(this.page);
    const { entries } = await session.send('Page.getNavigationHistory');
    await session.detach();
    return entries.flatMap(({ url, title }) => [url, title]);
  }

  #watchConsole(message) {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    const isExpected = this.visitor.expected.some((pattern) => pattern.test(message.text()));
    if (!isExpected) this.#report(`console: ${message.text()} ${message.location().url}`);
  }

  #watchRequest(request) {
    const url = new URL(request.url());
    if (/^https?:$/.test(url.protocol) && !this.#hosts.has(url.host)) this.#report(`request to ${url.origin}`);
    const { referer = '' } = request.headers();
    this.#checkTokens([url.search, url.pathname, referer]);
  }

  #report(problem) {
    const { pathname } = new URL(this.page.url());
    this.visitor.problems.push(`${pathname}: ${problem}`);
  }
}
