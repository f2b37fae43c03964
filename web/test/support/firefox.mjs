// Debian's Firefox, over WebDriver BiDi. Playwright drives only a Firefox of its own, so this one has few acts.
import puppeteer from 'puppeteer-core';

const VIEWPORT = { width: 1280, height: 800 };

/** Starts Firefox. `FIREFOX_BIN` names another one than Debian's. */
export const startFirefox = () =>
  puppeteer.launch({ browser: 'firefox', executablePath: process.env.FIREFOX_BIN ?? '/usr/bin/firefox-esr', defaultViewport: VIEWPORT });

/** Opens a tab of a new profile. `problems` receives what its pages write to the console, and what their policy refuses. */
export async function openFirefoxTab(browser, problems) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.on('console', (message) => ['error', 'warn'].includes(message.type()) && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.evaluateOnNewDocument(() =>
    addEventListener('securitypolicyviolation', ({ violatedDirective }) => console.error(`refused: ${violatedDirective}`)),
  );
  const act = async (what, selector, run) => {
    try {
      return await run(page.locator(selector));
    } catch (cause) {
      throw new Error(`${what} at ${page.url()}`, { cause });
    }
  };
  const named = (role, name, run) => act(`${role} "${name}"`, `::-p-aria([name="${name}"][role="${role}"])`, run);
  return {
    page,
    open: (address) => page.goto(address),
    shows: (heading) => named('heading', heading, (found) => found.wait()),
    // Firefox gives a field for passwords no role.
    fill: (label, value) => act(label, `::-p-xpath(//input[@id = //label[. = "${label}"]/@for])`, (found) => found.fill(value)),
    press: (name) => named('button', name, (found) => found.click()),
    follow: (name) => named('link', name, (found) => found.click()),
  };
}
