// The components of the kit, as the catalogue shows them.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { violations } from './support/axe.mjs';
import { startChromium } from './support/chromium.mjs';
import { startDevServer } from './support/dev-server.mjs';

const KIT = new URL('../kit/', import.meta.url);
const CATALOGUE = new URL('../catalogue/', import.meta.url);
const FRAMES = ['', 'EntryFrame', 'AppFrame, top', 'AppFrame, side'];

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
  const components = readdirSync(KIT).filter((name) => name.endsWith('.tsx') && name !== 'field.tsx');
  assert.deepEqual(components.filter((name) => !sources.includes(`'../kit/${name}'`)), []);
});

for (const theme of ['light', 'dark']) {
  for (const width of [390, 1280]) {
    test(`the catalogue is accessible and fits into ${width} px in the ${theme} theme`, async () => {
      const page = await browser.newPage({ viewport: { width, height: 800 } });
      const errors = [];
      page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
      for (const frame of FRAMES) {
        await page.goto(`${server.origin}/catalogue?theme=${theme}&frame=${encodeURIComponent(frame)}`);
        await page.getByRole('heading', { level: 1 }).waitFor();
        assert.deepEqual(await violations(page), [], frame);
        assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width, frame);
      }
      assert.deepEqual(errors, []);
      await page.close();
    });
  }
}
