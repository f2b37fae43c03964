// A page of another application that contains `<portico-sign-in>`, with the content security policy of docs/embedding.md.
import { readFileSync } from 'node:fs';
import { startChromium } from '../../support/chromium.mjs';

const HOST = 'http://app.example.test';
const PORTICO = 'http://accounts.example.test';
const script = readFileSync(new URL('../../../dist/elements/portico-sign-in.js', import.meta.url), 'utf8');
const POLICY =
  `default-src 'none'; script-src 'self' ${PORTICO}; connect-src ${PORTICO}; style-src 'self'; base-uri 'none'; ` +
  "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const CORS = {
  'access-control-allow-origin': HOST,
  'access-control-allow-credentials': 'true',
  'access-control-allow-headers': 'content-type',
};
const LISTENER = `
  window.events = [];
  for (const type of ['signed-in', 'needs-step']) addEventListener(type, ({ detail }) => window.events.push(detail));
  addEventListener('securitypolicyviolation', ({ violatedDirective }) => window.events.push(violatedDirective));`;

let browser;
export const start = async () => (browser = await startChromium());
export const stop = () => browser?.close();

/** Opens a page with an element that has these attributes. `answer` returns the answer of a call of the API. */
export async function openHost(attributes, answer) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(5_000);
  const calls = [];
  await page.route(`${HOST}/**`, (route) => {
    if (route.request().url().endsWith('/listener.js')) return route.fulfill({ contentType: 'text/javascript', body: LISTENER });
    const html = `<!doctype html><html lang="en"><script src="/listener.js"></script>
      <script type="module" src="${PORTICO}/elements/portico-sign-in.js"></script><portico-sign-in ${attributes}></portico-sign-in></html>`;
    return route.fulfill({ contentType: 'text/html', body: html, headers: { 'content-security-policy': POLICY } });
  });
  await page.route(`${PORTICO}/**`, (route) => {
    const request = route.request();
    if (request.url().endsWith('.js')) return route.fulfill({ contentType: 'text/javascript', body: script, headers: CORS });
    if (request.method() === 'OPTIONS') return route.fulfill({ status: 204, headers: CORS });
    calls.push({ url: request.url().slice(PORTICO.length), body: request.postDataJSON() });
    return route.fulfill({ ...answer(request.url()), headers: CORS });
  });
  await page.goto(HOST);
  await page.locator('portico-sign-in form').waitFor();
  return { page, calls, script, events: () => page.evaluate(() => window.events), close: () => context.close() };
}
