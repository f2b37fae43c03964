import assert from 'node:assert/strict';
import { pageStory } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

/** Names that break pages which trust them. */
const NAMES = [
  '<img src=x onerror=alert(1)>',
  '</title><script>alert(1)</script>',
  'شركة النقل البحري المحدودة',
  'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft mbH und Kompagnie',
  'W'.repeat(100),
  '"\'`&amp;{{constructor}}${alert(1)}',
];

/** Opens a page on a phone, and asserts that it shows a name as it is. */
async function showsName(visitor, tab, name) {
  const found = tab.page.getByText(name, { exact: true }).filter({ visible: true }).first();
  await found.waitFor();
  await tab.check();
  assert.deepEqual(visitor.problems, [], name);
}

pageStory('names are shown as they are, in every place, and never as markup', async ({ world, visitor }) => {
  const phone = { viewport: { width: 390, height: 844 } };
  const staff = await visitor(phone);
  const list = await staff.openConsole(await world.staff('owner'), '/console/clients');
  // German has the longest words of the four languages.
  const ann = await visitor({ ...phone, locale: 'de-DE' });
  const tab = await ann.open('/portal/sign-in');
  for (const { page } of [list, tab]) page.on('dialog', () => staff.problems.push('a name was run as a script'));
  const memberOfAll = await world.person();
  for (const name of NAMES) {
    const client = await world.client(name);
    const email = await world.person({ client, name, role: 'admin' });
    await list.open(`/console/clients/${client.id}`);
    await showsName(staff, list, name);
    await list.act(name, 'Disable');
    await list.sees(`Disable ${name}?`);
    const invited = await world.invite({ client, name });
    await tab.open((await world.link(invited, 'activate')).url);
    await showsName(ann, tab, name);
    await ann.post('/api/portal/auth/sign-in', { email, password: PASSWORD });
    for (const path of ['/portal', '/portal/colleagues']) {
      await tab.open(path);
      await showsName(ann, tab, name);
    }
    await world.invite({ client, email: memberOfAll });
  }
  await ann.post('/api/portal/auth/sign-in', { email: memberOfAll, password: PASSWORD });
  await tab.open('/portal/choose-client');
  for (const name of NAMES) await showsName(ann, tab, name);
});
