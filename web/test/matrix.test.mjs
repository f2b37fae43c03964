// The layout of the pages: nothing is cut off, overlaps or is wider than the window at 320 px (400 % zoom), 390 px and
// 1280 px, in both themes. By default the main state of each page in each language and in a pseudo-language with longer
// texts, and with more space in its texts. `MATRIX=full` checks every state.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { layoutProblems, PHONE, SCREEN, spaceText, ZOOMED } from './support/layout.mjs';
import { MAIN_PAGES, openPage, PAGES, resizePage } from './support/pages.mjs';
import { speakPseudo } from './support/pseudo.mjs';
import { startShowcase } from './support/showcase.mjs';
import { LOCALES } from './support/texts.mjs';

const SIZES = [SCREEN, PHONE, ZOOMED];
const THEMES = ['light', 'dark'];
const isFull = process.env.MATRIX === 'full';

let showcase;
before(async () => {
  showcase = await startShowcase({ allStates: true, reducedMotion: 'reduce' });
});
after(() => showcase?.stop());

for (const locale of [...LOCALES, 'pseudo']) {
  if (isFull) check(locale, 'every state', PAGES);
  else check(locale, 'main states', MAIN_PAGES);
  if (locale === 'de') check(locale, 'main states with spaced texts', MAIN_PAGES, spaceText);
}

/** Checks pages in a language, in windows of each size and in both themes. `change` changes the page first. */
function check(locale, what, pages, change) {
  test(`${locale}, ${what}: ${pages.length} × ${SIZES.length} × ${THEMES.length}`, async () => {
    await (locale === 'pseudo' ? speakPseudo(showcase) : showcase.speak(locale));
    // Each visitor has a tab of their own, so the pages of different visitors are checked at the same time.
    const visitors = [...new Set(pages.map(({ visitor }) => visitor))];
    const pagesOf = (name) => pages.filter(({ visitor }) => visitor === name);
    const problems = await Promise.all(visitors.map((name) => checkAll(pagesOf(name), change)));
    assert.deepEqual([...problems.flat(), ...showcase.problems()], []);
  });
}

async function checkAll(pages, change) {
  const found = [];
  for (const entry of pages) {
    const problems = await problemsOf(entry, change).catch(({ message }) => [message]);
    found.push(...problems.map((problem) => `${entry.path}, ${entry.state}: ${problem}`));
  }
  return found;
}

async function problemsOf(entry, change) {
  const tab = showcase.tabOf(entry);
  const found = [];
  const sizes = entry.isNarrow ? [PHONE, ZOOMED] : SIZES;
  await tab.page.setViewportSize(sizes[0]);
  await openPage(tab, entry, showcase.demo);
  await change?.(tab.page);
  for (const size of sizes) {
    await resizePage(tab, entry, showcase.demo, size);
    for (const theme of THEMES) {
      await tab.page.emulateMedia({ colorScheme: theme });
      const problems = await layoutProblems(tab.page);
      found.push(...problems.map((problem) => `${size.width} px, ${theme}: ${problem}`));
    }
  }
  return found;
}
