// Measures what each page loads and how fast it is, prints it with the share of each limit, and ends with status 1 if a
// limit is exceeded. `pages.test.mjs` checks the sizes too, which do not depend on the machine.
import { slowDown } from './support/cdp.mjs';
import { MAIN_PAGES, settled } from './support/pages.mjs';
import { interactionDelay } from './support/interactions.mjs';
import { startShowcase } from './support/showcase.mjs';
import { openMeasured, sizeLimit } from './support/sizes.mjs';

const RUNS = 5;
const SIGN_IN = '/portal/sign-in';
const MAX_INPUT_SECONDS = 1;
const MAX_INTERACTION_MS = 100;

const showcase = await startShowcase();
let isOver = false;
for (const entry of MAIN_PAGES) {
  print(entry.path, await openMeasured(showcase.tabOf(entry), entry, showcase.demo), sizeLimit(entry), 'kB');
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
