import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const ALL_RULES = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] };
/** The rules about colours: in another theme of the same page, the others find the same. */
const COLOUR_RULES = { runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } };

/** Returns what axe finds on a page: the rule, the elements and why. */
export async function violations(page, { onlyColours = false } = {}) {
  // Another theme is complete two frames after it was chosen.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  if (!(await page.evaluate('Boolean(globalThis.axe)'))) await page.evaluate(SOURCE);
  // The page behind a dialog is inert, and is the same without the dialog.
  const run = (options) => globalThis.axe.run(document.querySelector('dialog[open]') ?? document, options);
  const found = await page.evaluate(run, onlyColours ? COLOUR_RULES : ALL_RULES);
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)}: ${failureSummary.split('\n').at(1)?.trim()}`),
  );
}
