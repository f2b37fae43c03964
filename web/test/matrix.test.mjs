// The layout of the main state of every page: languages × widths × themes, and a pseudo-language whose texts are longer.
// Prints what is cut off or overlaps, and ends with status 1 if anything is. `--short` leaves most themes and widths out.
import { layoutProblems } from './support/layout.mjs';
import { MAIN_PAGES, openPage } from './support/pages.mjs';
import { speakPseudo } from './support/pseudo.mjs';
import { startShowcase } from './support/showcase.mjs';

const LOCALES = ['en', 'de', 'fr', 'es', 'pseudo'];
const FULL = [390, 1280].flatMap((width) => ['light', 'dark'].map((theme) => ({ width, theme })));
const SHORT = [{ width: 390, theme: 'light' }, { width: 1280, theme: 'dark' }];

const views = process.argv.includes('--short') ? SHORT : FULL;
const showcase = await startShowcase();
let [checked, failed] = [0, 0];
for (const locale of LOCALES) {
  await (locale === 'pseudo' ? speakPseudo(showcase) : showcase.speak(locale));
  for (const entry of MAIN_PAGES) await check(entry, locale);
}
await showcase.stop();
console.log(`# pass ${checked - failed}\n# fail ${failed}`);
process.exitCode = failed > 0 ? 1 : 0;

async function check(entry, locale) {
  const tab = showcase.tabOf(entry);
  await openPage(tab, entry, showcase.demo);
  for (const { width, theme } of views) {
    await tab.page.setViewportSize({ width, height: 844 });
    await tab.page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    const problems = [...(await layoutProblems(tab.page)), ...showcase.problems()];
    checked += 1;
    if (problems.length === 0) continue;
    failed += 1;
    console.log(`${entry.path} in ${locale}, ${width} px, ${theme}:\n  ${problems.join('\n  ')}`);
  }
}
