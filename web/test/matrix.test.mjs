// The layout of the main state of every page in each language, and in a pseudo-language whose texts are longer: nothing
// is cut off, overlaps or is wider than the window. By default on a phone in the light theme and on a wide screen in the
// dark one; `MATRIX=full` checks both widths in both themes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { layoutProblems } from './support/layout.mjs';
import { MAIN_PAGES, openPage } from './support/pages.mjs';
import { speakPseudo } from './support/pseudo.mjs';
import { startShowcase } from './support/showcase.mjs';

const VISITORS = ['anonymous', 'person', 'owner'];
const WIDTHS = [390, 1280];
const VIEWS =
  process.env.MATRIX === 'full'
    ? WIDTHS.flatMap((width) => ['light', 'dark'].map((theme) => ({ width, theme })))
    : [{ width: 390, theme: 'light' }, { width: 1280, theme: 'dark' }];

let showcase;
before(async () => {
  showcase = await startShowcase({ reducedMotion: 'reduce' });
});
after(() => showcase?.stop());

for (const locale of ['en', 'de', 'fr', 'es', 'pseudo']) {
  test(`${MAIN_PAGES.length} pages × ${VIEWS.length} views in ${locale}`, async () => {
    await (locale === 'pseudo' ? speakPseudo(showcase) : showcase.speak(locale));
    // Each visitor has a tab of their own, so the pages of different visitors are checked at the same time.
    const problems = await Promise.all(VISITORS.map((name) => checkAll(MAIN_PAGES.filter(({ visitor }) => visitor === name))));
    assert.deepEqual([...problems.flat(), ...showcase.problems()], []);
  });
}

async function checkAll(pages) {
  const found = [];
  for (const entry of pages) {
    const tab = showcase.tabOf(entry);
    await openPage(tab, entry, showcase.demo);
    for (const { width, theme } of VIEWS) {
      await tab.page.setViewportSize({ width, height: 844 });
      await tab.page.emulateMedia({ colorScheme: theme });
      const problems = await layoutProblems(tab.page);
      found.push(...problems.map((problem) => `${entry.path}, ${width} px, ${theme}: ${problem}`));
    }
  }
  return found;
}
