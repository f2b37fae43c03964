// A person with a browser of their own: cookies, network, language. All visitors share one Chromium.
import { Tab } from './tab.mjs';
import { PASSWORD } from './world.mjs';

/** What every page is watched for. Chromium reports refused styles and scripts to the console too. */
const REPORT_VIOLATIONS = () =>
  addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
    console.error(`the policy refuses ${violatedDirective} ${blockedURI}`),
  );

/** What Chromium writes to the console for an answer 4xx, which pages expect. */
const REFUSED = /^Failed to load resource: the server responded with a status of 4\d\d/;

export class Visitor {
  problems = [];
  expected = [REFUSED];
  tabs = [];

  /** Opens a browser. `options` are those of Playwright's contexts, such as `locale` and `viewport`. */
  static async arrive(browser, world, options = {}) {
    const visitor = new Visitor();
    visitor.world = world;
    visitor.context = await browser.newContext({
      baseURL: world.origin,
      locale: 'en-GB',
      viewport: { width: 1280, height: 800 },
      extraHTTPHeaders: { 'x-forwarded-for': world.network() },
      ...options,
    });
    visitor.context.setDefaultTimeout(20_000);
    await visitor.context.addInitScript(REPORT_VIOLATIONS);
    visitor.context.on('page', (page) => visitor.tabs.push(new Tab(page, visitor)));
    return visitor;
  }

  /** Says that this story makes the browser write to the console. */
  expect(pattern) {
    this.expected.push(pattern);
  }

  /** Says that the next page makes the browser write nothing. */
  expectNothing() {
    this.expected = [REFUSED];
  }

  /** Opens a path, or the link of a mail, in a new tab. */
  async open(address) {
    const page = await this.context.newPage();
    const tab = this.tabs.find((each) => each.page === page);
    await tab.open(address);
    return tab;
  }

  /** Signs in to the portal without a page, and opens a page. */
  async openSignedIn(email, path = '/portal', password = PASSWORD) {
    await this.post('/api/portal/auth/sign-in', { email, password });
    return this.open(path);
  }

  /** Signs in to the console without a page, and opens a page. */
  async openConsole(email, path = '/console') {
    const { flow } = await this.post('/api/staff/auth/send-code', { email });
    await this.post('/api/staff/auth/verify-code', { flow, code: await this.world.code(email) });
    return this.open(path);
  }

  /** Removes the short-lived cookies, as if their time were over. Those that refresh the sessions stay. */
  endAccess = () => this.context.clearCookies({ name: /^(__Host-)?portico_(portal|staff)$/ });

  /** Calls an operation with the cookies of this browser. It must succeed. */
  async post(path, data) {
    const response = await this.context.request.post(path, { data });
    if (!response.ok()) throw new Error(`${path}: ${response.status()} ${await response.text()}`);
    return response.status() === 204 ? undefined : response.json();
  }

  /** Returns the addresses and the texts of the pages, and what was wrong with them, for the message of a failed story. */
  async describe() {
    const tabs = this.tabs.filter(({ page }) => !page.isClosed());
    const texts = await Promise.all(tabs.map(({ page }) => page.locator('body').innerText().catch(String)));
    return [...tabs.map(({ page }, index) => `${page.url()}\n${texts[index].slice(0, 1500)}`), ...this.problems].join('\n');
  }

  /** Checks the pages that are open, and closes the browser. */
  async leave() {
    for (const tab of this.tabs) if (!tab.page.isClosed()) await tab.check();
    await this.context.close();
  }
}
