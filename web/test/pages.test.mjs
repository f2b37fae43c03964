// Every page in each of its states: axe in both themes, the layout on a wide screen, and the size of the main state.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { violations } from './support/axe.mjs';
import { layoutProblems } from './support/layout.mjs';
import { PAGES } from './support/pages.mjs';
import { startShowcase } from './support/showcase.mjs';
import { openMeasured, sizeLimit } from './support/sizes.mjs';

let showcase;
before(async () => {
  showcase = await startShowcase();
});
after(() => showcase?.stop());

test('the table of pages names every page', () => {
  const { portal, console } = JSON.parse(readFileSync(new URL('../dist/pages.json', import.meta.url)));
  const built = [...portal.pages, ...console.pages].map(({ path }) => path);
  assert.deepEqual(built.filter((path) => !PAGES.some((page) => page.path === path && page.state === 'main')), []);
});

for (const entry of PAGES) {
  test(`${entry.path}, ${entry.state}: accessible in both themes, and nothing is cut off`, async () => {
    const tab = showcase.tabOf(entry);
    const size = await openMeasured(tab, entry, showcase.demo);
    if (entry.state === 'main') assert.ok(size <= sizeLimit(entry), `${size} kB of ${sizeLimit(entry)} kB`);
    for (const colorScheme of ['light', 'dark']) {
      await tab.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      assert.deepEqual(await violations(tab.page), [], colorScheme);
    }
    assert.deepEqual(await layoutProblems(tab.page), [], '1280 px');
    await tab.check();
    assert.deepEqual(showcase.problems(), []);
  });
}
