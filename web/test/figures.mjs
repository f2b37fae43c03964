// Measures what each page loads and how fast it is, prints it with the share of each limit, and ends with status 1 if a
// limit is exceeded. The sizes are those of gzip -9 over the document, scripts, styles and the brand, with one language.
import { gzipSync } from 'node:zlib';
import { slowDown } from './support/cdp.mjs';
import { MAIN_PAGES, openPage, settled } from './support/pages.mjs';
import { interactionDelay } from './support/interactions.mjs';
import { startShowcase } from './support/showcase.mjs';

const KB = 1000;
const RUNS = 5;
const LOADED = ['document', 'script', 'stylesheet', 'image'];
const SIGN_IN = '/portal/sign-in';
/** The limits of the sizes in kB, the first that matches. */
const LIMITS = [
  [(path) => path === SIGN_IN, 20],
  [(path) => path.startsWith('/portal'), 45],
  [(path) => path === '/console' || path === '/console/sign-in', 60],
  [() => true, 110],
];
const MAX_INPUT_SECONDS = 1;
const MAX_INTERACTION_MS = 100;

const showcase = await startShowcase();
let isOver = false;
for (const entry of MAIN_PAGES) {
  const [, limit] = LIMITS.find(([matches]) => matches(entry.path));
  print(entry.path, (await sizeOf(entry)) / KB, limit, 'kB');
}
const times = [];
for (let run = 0; run < RUNS; run += 1) times.push(await timeToInput());
print(`${SIGN_IN}: time to the first input`, median(times), MAX_INPUT_SECONDS, 's');
print('/console/people with 100 rows: slowest interaction', await interactionDelay(showcase), MAX_INTERACTION_MS, 'ms');
await showcase.stop();
process.exitCode = isOver ? 1 : 0;

function print(what, value, limit, unit) {
  const share = Math.round((value / limit) * 100);
  if (value > limit) isOver = true;
  console.log(`${what.padEnd(52)} ${value.toFixed(unit === 'ms' ? 0 : 2).padStart(7)} ${unit} of ${limit} ${unit}, ${share} %${value > limit ? ' TOO MUCH' : ''}`);
}

/** Returns the bytes that a visitor without a cache loads for a page. */
async function sizeOf(entry) {
  const { page } = showcase.tabOf(entry);
  const bodies = [];
  const collect = (response) => LOADED.includes(response.request().resourceType()) && bodies.push(response.body());
  page.on('response', collect);
  await openPage(showcase.tabOf(entry), entry, showcase.demo);
  page.off('response', collect);
  const sizes = (await Promise.all(bodies)).map((body) => gzipSync(body, { level: 9 }).length);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Returns the seconds until an anonymous visitor with a slow phone and an empty cache can type into the sign-in page. */
async function timeToInput() {
  const context = await showcase.browser.newContext();
  const page = await context.newPage();
  await slowDown(page);
  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (!document.querySelector('input')) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => (globalThis.inputAt = performance.now())));
    }).observe(document, { childList: true, subtree: true });
  });
  await page.goto(showcase.world.origin + SIGN_IN);
  await settled({ page }, 'input');
  const milliseconds = await (await page.waitForFunction('globalThis.inputAt')).jsonValue();
  await context.close();
  return milliseconds / 1000;
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
