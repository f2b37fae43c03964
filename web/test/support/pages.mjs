// Every page in its main state and in others, for axe, the layout checks, the figures and the screenshots.
import { replaceAnswers, restoreAnswers } from './answers.mjs';
import { Controls } from './controls.mjs';
import { CONSOLE_PAGES } from './pages/console.mjs';
import { ELEMENT_PAGES } from './pages/element.mjs';
import { PORTAL_PAGES } from './pages/portal.mjs';

/** The states of the pages. `pages/entry.mjs` describes the entries. */
export const PAGES = [...PORTAL_PAGES, ...CONSOLE_PAGES, ...ELEMENT_PAGES];

/** The main state of each page. */
export const MAIN_PAGES = PAGES.filter(({ state }) => state === 'main');

/** Waits until a page has loaded its data and shows it. */
export async function settled({ page }, until = 'h1') {
  await page.locator(until).first().waitFor();
  await page.waitForFunction(() => !document.querySelector('.p-skeleton, .p-checking:not(:empty), .p-spinner'));
  await page.evaluate(() => document.fonts.ready);
}

/** Opens a page in a tab that may show another one, and leads it to its state. */
export async function openPage(tab, entry, demo) {
  await leave(tab);
  await prepare(tab, entry);
  await tab.open(entry.at(demo));
  await settled(tab, 'h1, [role=alert]');
  const controls = new Controls(tab);
  await entry.act(controls, demo);
  if (entry.isOffline) await tab.page.context().setOffline(true);
  if (entry.shows) await controls.sees(entry.shows);
  const until = entry.isOffline ? '.p-offline:not([hidden])' : (entry.until ?? 'h1');
  await tab.page.locator(until).first().waitFor();
  if (!entry.isPending) await settled(tab);
}

/** Changes the size of the window of an open page. A menu is placed when it opens, so it is opened again. */
export async function resizePage(tab, entry, demo, size) {
  const { width } = tab.page.viewportSize();
  if (width === size.width) return;
  await tab.page.setViewportSize(size);
  if (entry.until === ':popover-open') await openPage(tab, entry, demo);
}

/** Leaves the page before, and what its state needed. */
async function leave({ page, visitor }) {
  // The tab keeps the link or the code flow of the page.
  await page.evaluate(() => location.protocol !== 'about:' && sessionStorage.clear());
  // A link whose page is already open would only change the fragment.
  await page.goto('about:blank');
  // Only now: a call that waits for its answer must not reach the server.
  await restoreAnswers(page);
  await page.context().setOffline(false);
  visitor.expectNothing();
}

async function prepare(tab, { answers, host, isFaulty }) {
  const { page } = tab;
  if (answers) await replaceAnswers(page, answers);
  if (isFaulty) tab.expectBrokenNetwork();
  if (!host) return;
  tab.expectHost(host);
  // An answer without content leaves the page as it is.
  await page.route(`http://${host}/**`, (route) => route.fulfill({ status: 204 }));
}
