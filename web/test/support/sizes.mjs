// What a visitor without a cache loads for a page, and how much that may be.
import { gzipSync } from 'node:zlib';
import { openPage } from './pages.mjs';

const KB = 1000;
const LOADED = ['document', 'script', 'stylesheet', 'image'];
/** The logo is as large as the company has made it. */
const LOGO = '/api/portal/logo';
/** The limits in kB. The first whose condition holds counts. */
const LIMITS = [
  [(path) => path === '/portal/sign-in', 20],
  [(path) => path.startsWith('/portal'), 45],
  [(path) => path === '/console' || path === '/console/sign-in', 60],
  [() => true, 110],
];

/** Returns how many kB a page may have. */
export const sizeLimit = ({ path }) => LIMITS.find(([matches]) => matches(path))[1];

/**
 * Opens a page as `openPage` does. Returns its size in kB: that of `gzip -9` over the document, the scripts, the styles
 * and the brand, with one language.
 */
export async function openMeasured(tab, entry, demo) {
  const bodies = [];
  const collect = (response) => {
    const isCounted = LOADED.includes(response.request().resourceType()) && new URL(response.url()).pathname !== LOGO;
    if (isCounted) bodies.push(response.body());
  };
  tab.page.on('response', collect);
  await openPage(tab, entry, demo);
  tab.page.off('response', collect);
  const sizes = (await Promise.all(bodies)).map((body) => gzipSync(body, { level: 9 }).length);
  return sizes.reduce((sum, size) => sum + size, 0) / KB;
}
