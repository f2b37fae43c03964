// How long a slow phone takes to answer a click or a key on a page with many rows.
import { slowDown } from './cdp.mjs';
import { settled } from './pages.mjs';

const ROWS = 100;

/** Returns the slowest interaction with a list of 100 people, in milliseconds. */
export async function interactionDelay({ visitors, demo, world }) {
  const page = await visitors.owner.context.newPage();
  await page.route('**/api/v1/portal-users*', async (route) => {
    const response = await route.fetch();
    const { data } = await response.json();
    const rows = Array.from({ length: ROWS }, (_, index) => ({ ...data[index % data.length], id: crypto.randomUUID() }));
    await route.fulfill({ response, json: { data: rows, next_cursor: null } });
  });
  await page.addInitScript(() => {
    globalThis.slowest = 0;
    const note = (entries) => entries.forEach((entry) => entry.interactionId && (globalThis.slowest = Math.max(globalThis.slowest, entry.duration)));
    new PerformanceObserver((list) => note(list.getEntries())).observe({ type: 'event', durationThreshold: 16, buffered: true });
  });
  await page.goto(`${world.origin}/console/people`);
  await settled({ page }, `tbody tr:nth-child(${ROWS})`);
  await slowDown(page, { network: false });
  await page.getByLabel('Search').pressSequentially('an', { delay: 50 });
  await page.getByLabel('Status').selectOption('active');
  await page.locator('[popovertarget]').last().click();
  await page.keyboard.press('Escape');
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 200))));
  const slowest = await page.evaluate('globalThis.slowest');
  await page.close();
  if (slowest === 0) throw new Error(`no interaction was measured at ${demo.slug}`);
  return slowest;
}
