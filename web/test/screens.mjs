// Makes the screenshots of `docs/screens`: the main state of each page at two widths, and the catalogue of the kit in
// both themes. Times are the same in each run. Needs the Debian package `pngquant` (`bin/install pngquant`).
import { execFile } from 'node:child_process';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startChromium } from './support/chromium.mjs';
import { startDevServer } from './support/dev-server.mjs';
import { MAIN_PAGES, openPage } from './support/pages.mjs';
import { fixValues } from './support/fixed-values.mjs';
import { startShowcase } from './support/showcase.mjs';

const FOLDER = fileURLToPath(new URL('../../docs/screens/', import.meta.url));
const WIDTHS = [390, 1280];
/** Longer pages are cut here, so that the pictures stay small. */
const MAX_HEIGHT = 1600;

await mkdir(FOLDER, { recursive: true });
for (const name of await readdir(FOLDER)) if (name.endsWith('.png')) await rm(FOLDER + name);
await takePages();
await takeCatalogue();
await reduceColours();

async function takePages() {
  const showcase = await startShowcase({ timezoneId: 'Europe/London', reducedMotion: 'reduce' });
  for (const { context } of Object.values(showcase.visitors)) await fixValues(context);
  for (const entry of MAIN_PAGES) {
    const tab = showcase.tabOf(entry);
    await openPage(tab, entry, showcase.demo);
    for (const width of WIDTHS) await take(tab.page, entry.path.slice(1).replaceAll(/\/:?/g, '-'), width);
  }
  await showcase.stop();
}

async function takeCatalogue() {
  const [server, browser] = [await startDevServer(), await startChromium()];
  for (const theme of ['light', 'dark']) {
    const page = await browser.newPage();
    await page.goto(`${server.origin}/catalogue?theme=${theme}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await take(page, `catalogue-${theme}`, 1280, 8000);
  }
  await browser.close();
  await server.stop();
}

async function take(page, name, width, maxHeight = MAX_HEIGHT) {
  await page.setViewportSize({ width, height: width === 390 ? 844 : 800 });
  const height = await page.evaluate('document.documentElement.scrollHeight');
  const clip = { x: 0, y: 0, width, height: Math.min(height, maxHeight) };
  await page.screenshot({ path: `${FOLDER}${name}-${width}.png`, fullPage: true, clip, animations: 'disabled' });
}

/** Pictures with 256 colours take a third of the space, and look the same. */
async function reduceColours() {
  const files = (await readdir(FOLDER)).map((name) => FOLDER + name);
  await promisify(execFile)('pngquant', ['--force', '--ext', '.png', '--strip', '--speed', '1', ...files]);
}
