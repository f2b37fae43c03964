import assert from 'node:assert/strict';
import { settled } from '../support/pages.mjs';
import { story } from '../support/story.mjs';

/** The pages that the navigation of each role leads to. */
const PAGES = {
  owner: ['Overview', 'Clients', 'People', 'Invitations', 'Mail log', 'Audit log', 'Staff', 'Service accounts', 'API tokens', 'Branding', 'Sign-in policy', 'My account'],
  admin: ['Overview', 'Clients', 'People', 'Invitations', 'Mail log', 'Audit log', 'Staff', 'Service accounts', 'API tokens', 'Branding', 'Sign-in policy', 'My account'],
  support: ['Overview', 'Clients', 'People', 'Invitations', 'Mail log', 'API tokens', 'My account'],
  viewer: ['Overview', 'Clients', 'People', 'Invitations', 'Mail log', 'Audit log', 'Staff', 'Service accounts', 'API tokens', 'Branding', 'Sign-in policy', 'My account'],
};

const navigationOf = ({ page }) => page.getByRole('navigation').getByRole('link').allInnerTexts();

for (const [role, pages] of Object.entries(PAGES)) {
  story(`the navigation of the role ${role} has the pages that it may see`, async ({ world, visitor }) => {
    const tab = await (await visitor()).openConsole(await world.staff(role));
    await tab.shows('Overview');
    assert.deepEqual(await navigationOf(tab), pages);
  });
}

story('a staff user whose role is changed in the console gets the pages and the acts of the new role', async ({ world, visitor }) => {
  const { slug, owner } = await world.tenant();
  const email = await world.staff('viewer', { tenant: slug, name: 'Vera Viewer' });
  const vera = await (await visitor()).openConsole(email, '/console/clients');
  await vera.sees('There are no clients yet.');
  assert.deepEqual(await navigationOf(vera), PAGES.viewer);
  await vera.misses('New client');
  const tab = await (await visitor()).openConsole(owner, '/console/staff');
  await tab.act('Vera Viewer', 'Change');
  await tab.page.getByRole('dialog').getByLabel('Role').selectOption('support');
  await tab.press('Save');
  await tab.page.getByRole('row', { name: /Vera Viewer.*Support/ }).waitFor();
  await vera.page.reload();
  await vera.press('New client');
  await vera.send({ Name: 'Acme Ltd' }, 'Create the client');
  await vera.shows('Acme Ltd');
  assert.deepEqual(await navigationOf(vera), PAGES.support);
  await vera.open('/console/audit');
  await vera.sees('You may not see this page');
});

/** What each staff user may do: their own profile, sessions and tokens, and what only changes the view. */
const OF_ALL = [/^Set up authenticator app$/, /^(7|30|90) days$/, /^Save$/, /^Sign out everywhere$/, /^Create a token$/, /^(Show|Hide) tokens$/, /^Show as a table$/];
const INVITES_MANY = [/^Choose a file$/, /^Check the rows$/, /^Download a template$/];
const EDITS_CLIENTS = [/^New client$/, /^Invite$/, /^Invite many$/, /^Edit$/, /^Archive$/, /^Actions for /, ...INVITES_MANY];
const RETRIES_MAIL = [/^Send failed mails again$/, /^Send again: \S+$/];
const READS_AUDIT = [/^Export$/, /^Details: /];
const EDITS_SETTINGS = [/^Save the branding$/, /^Choose an image$/, /^Save the policy$/];

/** The buttons that a role sees besides, on all pages together. */
const ACTS = {
  admin: [...EDITS_CLIENTS, ...RETRIES_MAIL, ...READS_AUDIT, ...EDITS_SETTINGS],
  support: [...EDITS_CLIENTS, ...RETRIES_MAIL],
  viewer: READS_AUDIT,
};

/** Creates a tenant in which each act of the console is possible for its owner. Returns the paths of all pages. */
async function everyPage(world, { slug, owner }) {
  const client = await world.client('Acme Ltd', owner);
  await world.person({ client, staff: owner });
  const invited = await world.invite({ client, staff: owner, name: 'Ben Baker' });
  await world.failMail(invited, 'gave_up');
  await world.asStaff('POST', '/api/v1/service-accounts', { name: 'Export', role: 'viewer' }, owner);
  await world.staff('viewer', { tenant: slug, name: 'Vera Viewer' });
  const ofClient = [`/clients/${client.id}`, `/clients/${client.id}/bulk-invite`];
  const others = ['people', 'invitations', 'mail', 'audit', 'staff', 'service-accounts', 'tokens', 'branding', 'sign-in-policy', 'account'];
  const names = ['', '/clients', ...ofClient, ...others.map((name) => `/${name}`)];
  return names.map((name) => `/console${name}`);
}

story('each role sees the acts that it has, and no other, on every page', async ({ world, visitor }) => {
  const tenant = await world.tenant();
  const pages = await everyPage(world, tenant);
  const roles = Object.entries(ACTS).map(async ([role, acts]) => {
    const tab = await (await visitor()).openConsole(await world.staff(role, { tenant: tenant.slug }));
    const allowed = [...OF_ALL, ...acts];
    const seen = new Set();
    for (const path of pages) {
      await tab.open(path);
      await settled(tab);
      const buttons = tab.page.getByRole('main').locator('button:visible, a.p-button:visible');
      const names = await buttons.evaluateAll((all) => all.map((each) => each.ariaLabel ?? each.textContent.trim()));
      assert.deepEqual(names.filter((name) => !allowed.some((act) => act.test(name))), [], `${role} at ${path}`);
      for (const act of acts) if (names.some((name) => act.test(name))) seen.add(act);
    }
    assert.deepEqual(acts.filter((act) => !seen.has(act)), [], `${role} misses an act`);
  });
  await Promise.all(roles);
});

story('support that opens a page of another role by its address learns that it may not see it', async ({ world, visitor }) => {
  const support = await visitor();
  await (await support.openConsole(await world.staff('support'))).shows('Overview');
  for (const path of ['/console/staff', '/console/service-accounts', '/console/audit', '/console/branding']) {
    const tab = await support.open(path);
    await tab.sees('You may not see this page');
  }
});

story('a viewer that opens the bulk invitation by its address learns that it may not see it', async ({ world, visitor }) => {
  const client = await world.client('Acme Ltd');
  const tab = await (await visitor()).openConsole(await world.staff('viewer'), `/console/clients/${client.id}/bulk-invite`);
  await tab.sees('You may not see this page');
});

story('a member has no page of colleagues, and the server refuses it too', async ({ world, visitor }) => {
  const tab = await (await visitor()).openSignedIn(await world.person({ role: 'member' }));
  await tab.shows('Welcome, Ann Archer');
  assert.equal(await tab.page.getByRole('link', { name: /Colleagues/ }).count(), 0);
  await tab.open('/portal/colleagues');
  await tab.sees('You may not see this page');
});
