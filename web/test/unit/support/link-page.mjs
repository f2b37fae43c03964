// A browser page that a mailed link has opened, with the answers of the API that the test chooses.
import { serveBuiltPages } from './built-pages.mjs';
import { startChromium } from '../../support/chromium.mjs';
import { problem } from '../../support/problem.mjs';

export const TOKEN = 'k3Vb0p1hQe5sWm2Zt9RcYx7Lu4Ja8Gd6Fi0Ns3Ow1Ty';

/** Returns what the API says of a link that can be used. */
export const checkedLink = (purpose) => ({
  json: {
    purpose,
    email: 'ann@example.com',
    name: 'Ann Baker',
    client_name: 'Acme Ltd',
    expires_at: '2030-01-01T00:00:00Z',
    tenant: null,
  },
});

let browser;
let pages;

export async function start() {
  pages = await serveBuiltPages();
  browser = await startChromium();
}

export async function stop() {
  await browser?.close();
  pages?.stop();
}

/**
 * Opens a link in a new browser. `answers` has an answer for each path below `/api/portal/auth/`, or a function that
 * returns it; `undefined` breaks the connection. Returns the page and the calls that it has sent.
 */
export async function openLink(path, answers = {}) {
  const purpose = path === '/portal/activate' ? 'activation' : 'reset';
  const all = {
    'check-token': checkedLink(purpose),
    'check-password': { json: { score: 4, codes: [] } },
    session: problem(401, 'unauthenticated'),
    refresh: problem(401, 'unauthenticated'),
    ...answers,
  };
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(5_000);
  const calls = [];
  await page.route('**/api/**', async (route) => {
    const name = new URL(route.request().url()).pathname.split('/').pop();
    calls.push({ name, body: route.request().postDataJSON() });
    const answer = typeof all[name] === 'function' ? await all[name]() : all[name];
    return answer ? route.fulfill(answer) : route.abort();
  });
  await page.goto(`${pages.url}${path}#token=${TOKEN}`);
  return {
    page,
    /** Returns the bodies of the calls of an operation. */
    sent: (name) => calls.filter((call) => call.name === name).map(({ body }) => body),
    answer: (name, next) => (all[name] = next),
    title: (text) => page.getByRole('heading', { level: 1, name: text }).waitFor(),
    text: (text) => page.getByText(text).first().waitFor(),
    button: (name) => page.getByRole('button', { name, exact: true }),
    password: page.getByLabel('New password'),
    /** Returns all that the tab keeps. */
    stored: () => page.evaluate(() => JSON.stringify(sessionStorage)),
    close: () => context.close(),
  };
}
