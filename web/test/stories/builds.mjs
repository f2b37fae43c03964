// A deployment during a visit: processes of two builds answer in turn. The browser's requests are changed on their way
// so that they name the files of another build, and the real process answers them. README.md says what this leaves out.
import assert from 'node:assert/strict';
import { story } from '../support/story.mjs';

const OTHER_BUILD = '/assets/0123456789abcdef/';

/** Makes documents name the files of another build, `times` times: an old process has answered them. */
async function oldShells(visitor, times) {
  let shells = 0;
  visitor.expect(/^Refused to apply style from .*0123456789abcdef/);
  await visitor.context.route(/\/(portal|console)/, async (route) => {
    if (route.request().resourceType() !== 'document' || ++shells > times) return route.continue();
    const response = await route.fetch();
    const body = (await response.text()).replaceAll(/\/assets\/[0-9a-f]{16}\//g, OTHER_BUILD);
    await route.fulfill({ response, body });
  });
  return () => shells;
}

story('a page of an old build that meets a new process reloads once and works', async ({ visitor }) => {
  const ann = await visitor();
  const shells = await oldShells(ann, 1);
  const tab = await ann.open('/portal/sign-in');
  await tab.shows('Sign in');
  assert.equal(shells(), 2);
});

story('a page that meets only processes of another build does not reload in a loop', async ({ visitor }) => {
  const ann = await visitor();
  await ann.context.clock.install();
  const shells = await oldShells(ann, Infinity);
  const tab = await ann.open('/portal/sign-in');
  for (let second = 0; second < 20; second += 1) {
    await ann.context.clock.runFor(1000).catch(() => undefined);
    await tab.page.waitForLoadState();
  }
  assert.ok(shells() >= 2 && shells() <= 6, `${shells()} reloads`);
});

story('a page that is open during a deployment reloads once for a missing script, and shows no error until then', async ({ world, visitor }) => {
  const ann = await visitor();
  const tab = await ann.openSignedIn(await world.person());
  await tab.shows('Welcome, Ann Archer');
  let reloads = 0;
  tab.page.on('request', (request) => (reloads += Number(request.resourceType() === 'document')));
  // From now on, only the new build answers: the scripts of the old one are gone until the page is loaded again.
  await ann.context.route('**/assets/**', (route) => {
    const url = route.request().url();
    return route.continue(reloads === 0 ? { url: url.replace(/\/assets\/[0-9a-f]{16}\//, OTHER_BUILD) } : {});
  });
  await tab.page.evaluate(() => addEventListener('pagehide', () => sessionStorage.setItem('left', document.querySelector('h1')?.textContent ?? '')));
  const answer = tab.page.waitForResponse(/account\/sessions\.js$/);
  await tab.follow(/^Devices/);
  assert.equal((await answer).headers()['cache-control'], 'no-store');
  await tab.shows('Devices');
  await tab.page.waitForLoadState('networkidle');
  assert.equal(reloads, 1);
  assert.equal(await tab.page.evaluate(() => sessionStorage.getItem('left')), 'Welcome, Ann Archer');
});
