// Every page in each of its states: axe in both themes, and the layout at 320 px (400 % zoom), 390 px and 1280 px. The main
// states also in forced colours, with reduced motion, and how much they load. Each visitor has a tab of their own, so the
// pages of different visitors are checked at the same time.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { violations } from './support/axe.mjs';
import { layoutProblems, PHONE, SCREEN, ZOOMED } from './support/layout.mjs';
import { openPage, PAGES, resizePage } from './support/pages.mjs';
import { forcedColourProblems, motionProblems } from './support/preferences.mjs';
import { startShowcase } from './support/showcase.mjs';
import { openMeasured, sizeLimit } from './support/sizes.mjs';

const SIZES = [SCREEN, PHONE, ZOOMED];

let showcase;
before(async () => {
  showcase = await startShowcase({ allStates: true, reducedMotion: 'reduce' });
});
after(() => showcase?.stop());

test('the table of pages names every page', () => {
  const { portal, console } = JSON.parse(readFileSync(new URL('../dist/pages.json', import.meta.url)));
  const built = [...portal.pages, ...console.pages].map(({ path }) => path);
  assert.deepEqual(built.filter((path) => !PAGES.some((page) => page.path === path && page.state === 'main')), []);
});

test('the table of pages names each state once', () => {
  const names = PAGES.map(({ path, state }) => `${path}, ${state}`);
  assert.deepEqual(names.filter((name, index) => names.indexOf(name) !== index), []);
});

describe('pages', { concurrency: 4 }, () => {
  for (const visitor of new Set(PAGES.map((entry) => entry.visitor))) {
    describe(`of the visitor "${visitor}"`, { concurrency: 1 }, () => {
      for (const entry of PAGES.filter((each) => each.visitor === visitor)) {
        test(`${entry.path}, ${entry.state}`, () => check(entry));
      }
    });
  }
});

async function check(entry) {
  const tab = showcase.tabOf(entry);
  const { page } = tab;
  const sizes = entry.isNarrow ? [PHONE, ZOOMED] : SIZES;
  await page.setViewportSize(sizes[0]);
  await page.emulateMedia({ colorScheme: 'light' });
  await (entry.state === 'main' ? openWithinLimit : openPage)(tab, entry, showcase.demo);
  assert.deepEqual(await violations(page), [], 'light');
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.deepEqual(await violations(page, { onlyColours: true }), [], 'dark');
  if (entry.state === 'main') {
    assert.deepEqual(await motionProblems(page), [], 'reduced motion');
    assert.deepEqual(await forcedColourProblems(page), [], 'forced colours');
  }
  for (const size of sizes) {
    await resizePage(tab, entry, showcase.demo, size);
    assert.deepEqual(await layoutProblems(page), [], `${size.width} px`);
  }
  await tab.check();
  assert.deepEqual(showcase.problemsOf(entry), []);
}

async function openWithinLimit(tab, entry, demo) {
  const [size, limit] = [await openMeasured(tab, entry, demo), sizeLimit(entry)];
  assert.ok(size <= limit, `${size} kB of ${limit} kB`);
}
