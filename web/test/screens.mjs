// Makes the screenshots of `docs/screens` and the page that shows them: each page at two widths, and the catalogue of the
// kit in both themes. Two runs give the same bytes: the demo data, the times and the history are the same. Needs the
// Debian package `pngquant` (`bin/install pngquant`). `npm run screens -- console/audit` makes those of some pages.
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startChromium } from './support/chromium.mjs';
import { startDevServer } from './support/dev-server.mjs';
import { openPage } from './support/pages.mjs';
import { CONSOLE_PAGES } from './support/pages/console.mjs';
import { PORTAL_PAGES } from './support/pages/portal.mjs';
import { fixValues } from './support/fixed-values.mjs';
import { startShowcase } from './support/showcase.mjs';

const FOLDER = fileURLToPath(new URL('../../docs/screens/', import.meta.url));
const WIDTHS = [390, 1280];
const HEIGHTS = { 390: 844, 1280: 800 };
/** Longer pages are cut here, so that the pictures stay small. */
const MAX_HEIGHT = 1600;
const MAX_CATALOGUE_HEIGHT = 8000;
const THEMES = ['light', 'dark'];
/** States that look different enough to be shown besides the main state of each page. */
const STATES = ['refused', 'sent', 'link unknown', 'signed in', 'code', 'inviting', 'creating', 'created', 'preview', ...['second factor', 'setting up', 'recovery codes', 'on']];

const [only = ''] = process.argv.slice(2);
const shown = [...PORTAL_PAGES, ...CONSOLE_PAGES].filter(({ state }) => state === 'main' || STATES.includes(state));
const nameOf = ({ path, state }) => [...path.split('/').filter(Boolean), ...(state === 'main' ? [] : [state])].join('-').replaceAll(/[: ]/g, '');
const isWanted = (name) => name.startsWith(only.replaceAll('/', '-'));

/** The pictures replace those of the folder when all are there. */
const taken = await mkdtemp(join(tmpdir(), 'portico-screens-'));
await pngquant('--version');
await takePages();
await takeCatalogue();
await replacePictures();
await writeFile(`${FOLDER}README.md`, describe());
await rm(taken, { recursive: true });

async function takePages() {
  const showcase = await startShowcase({ timezoneId: 'Europe/London', reducedMotion: 'reduce' });
  for (const { context } of Object.values(showcase.visitors)) await fixValues(context);
  for (const entry of shown.filter((each) => isWanted(nameOf(each)))) {
    const tab = showcase.tabOf(entry);
    await openPage(tab, entry, showcase.demo);
    for (const width of WIDTHS) await take(tab.page, nameOf(entry), width);
  }
  await showcase.stop();
}

async function takeCatalogue() {
  if (!isWanted('catalogue')) return;
  const [server, browser] = [await startDevServer(), await startChromium()];
  for (const theme of THEMES) {
    const page = await browser.newPage();
    await page.goto(`${server.origin}/catalogue?theme=${theme}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await take(page, `catalogue-${theme}`, 1280, MAX_CATALOGUE_HEIGHT);
  }
  await browser.close();
  await server.stop();
}

async function take(page, name, width, maxHeight = MAX_HEIGHT) {
  await resize(page, width, HEIGHTS[width]);
  // A dialog covers the window only.
  const height = await page.evaluate("document.querySelector('dialog[open]') ? 0 : document.documentElement.scrollHeight");
  await resize(page, width, Math.min(Math.max(height, HEIGHTS[width]), maxHeight));
  await writeFile(join(taken, `${name}-${width}.png`), await settledPicture(page));
}

/** Sets the size of the window, and waits until the page has it. */
async function resize(page, width, height) {
  await page.setViewportSize({ width, height });
  await page.waitForFunction((size) => innerWidth === size.width && innerHeight === size.height, { width, height });
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/** Takes pictures until two are the same, because a busy machine paints late. */
async function settledPicture(page) {
  let [last, picture] = [];
  for (let tries = 0; tries < 10 && !(last && picture.equals(last)); tries += 1) {
    last = picture;
    picture = await page.screenshot({ animations: 'disabled', caret: 'hide', timeout: 60_000 });
  }
  return picture;
}

async function replacePictures() {
  // Pictures with 256 colours take a third of the space, and look the same.
  const files = await readdir(taken);
  await pngquant('--force', '--ext', '.png', '--strip', '--speed', '1', ...files.map((file) => join(taken, file)));
  for (const file of await readdir(FOLDER)) if (file.endsWith('.png') && isWanted(file)) await rm(FOLDER + file);
  for (const file of files) await copyFile(join(taken, file), FOLDER + file);
}

async function pngquant(...args) {
  await promisify(execFile)('pngquant', args).catch((error) => {
    throw error.code === 'ENOENT' ? new Error('pngquant is missing. Run: bin/install pngquant') : error;
  });
}

/** Returns the page that shows the pictures. */
function describe() {
  const picture = (name, width, shownWidth, what) => `<img src="${name}-${width}.png" width="${shownWidth}" alt="${what}">`;
  const row = (entry) => {
    const [name, state] = [nameOf(entry), entry.state === 'main' ? '' : `, ${entry.state}`];
    const [phone, desktop] = [picture(name, 390, 180, `${entry.path}${state} on a phone`), picture(name, 1280, 520, `${entry.path}${state} on a desktop`)];
    return `| \`${entry.path}\`${state} | ${phone} | ${desktop} |`;
  };
  const table = (app) => ['| page | 390 pixels | 1280 pixels |', '|---|---|---|', ...shown.filter(({ path }) => path.startsWith(app)).map(row)].join('\n');
  const kit = THEMES.map((theme) => picture(`catalogue-${theme}`, 1280, 400, `The kit in the ${theme} theme`));
  return `# Screens

Each page at two widths, 390 and 1280 pixels, and the kit in both themes. \`npm run screens\` in \`web/\` makes the pictures
and this page from demo data (\`web/test/support/demo.mjs\`).

## The portal

${table('/portal')}

## The console

${table('/console')}

## The kit

| ${THEMES.join(' | ')} |
|---|---|
| ${kit.join(' | ')} |
`;
}
