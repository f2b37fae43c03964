// The layout of the pages: nothing is cut off, overlaps or is wider than the window. By default the main state of each
// page in each language and in a pseudo-language with longer texts, on a phone and on a wide screen in both themes; every
// state in German at 400 % zoom; and the main states with more space in their texts. `MATRIX=full` checks every state in
// each language at each width in both themes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { layoutProblems, spaceText } from './support/layout.mjs';
import { MAIN_PAGES, openPage, PAGES, resizePage } from './support/pages.mjs';
import { speakPseudo } from './support/pseudo.mjs';
import { startShowcase } from './support/showcase.mjs';

const PHONE = { width: 390, height: 844 };
const SCREEN = { width: 1280, height: 800 };
/** A window of 1280 × 1024 pixels at 400 % (WCAG 1.4.10). */
const ZOOMED = { width: 320, height: 256 };
const isFull = process.env.MATRIX === 'full';

let showcase;
before(async () => {
  showcase = await startShowcase({ allStates: true, reducedMotion: 'reduce' });
});
after(() => showcase?.stop());

for (const locale of ['en', 'de', 'fr', 'es', 'pseudo']) {
  if (isFull) check(locale, 'every state', { pages: PAGES, sizes: [ZOOMED, PHONE, SCREEN] });
  else check(locale, 'main states', { sizes: [PHONE, SCREEN] });
  if (locale !== 'de') continue;
  if (!isFull) check(locale, 'every state at 400 % zoom', { pages: PAGES, sizes: [ZOOMED], themes: ['light'] });
  check(locale, 'main states with spaced texts', { sizes: [PHONE, SCREEN], themes: ['light'], change: spaceText });
}

/** Checks pages in a language, in windows of these sizes. `change` changes the page first. */
function check(locale, what, { pages = MAIN_PAGES, sizes, themes = ['light', 'dark'], change }) {
  test(`${locale}, ${what}: ${pages.length} × ${sizes.length} × ${themes.length}`, async () => {
    await (locale === 'pseudo' ? speakPseudo(showcase) : showcase.speak(locale));
    // Each visitor has a tab of their own, so the pages of different visitors are checked at the same time.
    const visitors = [...new Set(pages.map(({ visitor }) => visitor))];
    const pagesOf = (name) => pages.filter(({ visitor }) => visitor === name);
    const problems = await Promise.all(visitors.map((name) => checkAll(pagesOf(name), { sizes, themes, change })));
    assert.deepEqual([...problems.flat(), ...showcase.problems()], []);
  });
}

async function checkAll(pages, views) {
  const found = [];
  for (const entry of pages) {
    const problems = await problemsOf(entry, views).catch(({ message }) => [message]);
    found.push(...problems.map((problem) => `${entry.path}, ${entry.state}: ${problem}`));
  }
  return found;
}

async function problemsOf(entry, { sizes: all, themes, change }) {
  const tab = showcase.tabOf(entry);
  const found = [];
  const sizes = entry.isNarrow ? all.filter(({ width }) => width <= PHONE.width) : all;
  await tab.page.setViewportSize(sizes[0]);
  await openPage(tab, entry, showcase.demo);
  await change?.(tab.page);
  for (const size of sizes) {
    await resizePage(tab, entry, showcase.demo, size);
    for (const theme of themes) {
      await tab.page.emulateMedia({ colorScheme: theme });
      const problems = await layoutProblems(tab.page);
      found.push(...problems.map((problem) => `${size.width} px, ${theme}: ${problem}`));
    }
  }
  return found;
}
