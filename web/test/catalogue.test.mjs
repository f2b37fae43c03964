// The components of the kit, as the catalogue shows them: in each language on a phone in the light theme and on a wide
// screen in the dark one.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { violations } from './support/axe.mjs';
import { startChromium } from './support/chromium.mjs';
import { startDevServer } from './support/dev-server.mjs';
import { layoutProblems } from './support/layout.mjs';
import { makePseudo } from './support/pseudo.mjs';
import { LOCALES } from './support/texts.mjs';

const KIT = new URL('../kit/', import.meta.url);
const CATALOGUE = new URL('../catalogue/', import.meta.url);
/** Those of whole pages, which have hardly any text of their own, and the others. */
const PAGE_FRAMES = ['EntryFrame', 'AppFrame, top', 'AppFrame, side'];
const FACTOR_FRAMES = [
  ...['FactorsCard, off, required soon', 'FactorsCard, on, few codes', 'FactorsCard, on, required'],
  ...['VerifyStep', 'EnrolStep', 'RequiredPage', 'RecoveryCodes'],
];
const VIEWS = [{ width: 390, theme: 'light' }, { width: 1280, theme: 'dark' }];

let server, browser;
before(async () => {
  [server, browser] = await Promise.all([startDevServer(), startChromium()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test('the catalogue shows every component of the kit', () => {
  const sources = readdirSync(CATALOGUE).map((name) => readFileSync(new URL(name, CATALOGUE), 'utf8')).join('\n');
  const components = readdirSync(KIT, { recursive: true }).filter((name) => name.endsWith('.tsx') && name !== 'field.tsx');
  assert.deepEqual(components.filter((name) => !sources.includes(`'../kit/${name}'`)), []);
});

for (const locale of [...LOCALES, 'pseudo']) {
  test(`the catalogue in ${locale}: accessible in both themes, and nothing is cut off`, async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const errors = [];
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    if (locale === 'pseudo') await makePseudo(context);
    const frames = [...(locale === 'en' ? PAGE_FRAMES : []), ...(['en', 'pseudo'].includes(locale) ? FACTOR_FRAMES : [])];
    for (const frame of ['', ...frames]) {
      for (const { theme, width } of VIEWS) {
        await page.setViewportSize({ width, height: 800 });
        await page.goto(`${server.origin}/catalogue?theme=${theme}&locale=${locale}&frame=${encodeURIComponent(frame)}`);
        await page.getByRole('heading', { level: 1 }).waitFor();
        assert.equal((await page.locator('body').innerText()).includes('~~~'), locale === 'pseudo');
        assert.deepEqual(await layoutProblems(page), [], `${frame} ${width} px`);
        if (locale !== 'pseudo') assert.deepEqual(await violations(page), [], `${frame} ${theme}`);
      }
    }
    assert.deepEqual(errors, []);
    await context.close();
  });
}
