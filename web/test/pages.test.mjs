// Every page in each of its states: axe in both themes, and the layout on a wide screen.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { violations } from './support/axe.mjs';
import { layoutProblems } from './support/layout.mjs';
import { PAGES, openPage } from './support/pages.mjs';
import { startShowcase } from './support/showcase.mjs';

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
    await openPage(tab, entry, showcase.demo);
    for (const colorScheme of ['light', 'dark']) {
      await tab.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      assert.deepEqual(await violations(tab.page), [], colorScheme);
    }
    assert.deepEqual(await layoutProblems(tab.page), [], '1280 px');
    await tab.check();
    assert.deepEqual(showcase.problems(), []);
  });
}
