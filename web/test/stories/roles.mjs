import assert from 'node:assert/strict';
import { story } from '../support/story.mjs';

/** The pages that the navigation of each role leads to. */
const PAGES = {
  owner: ['Overview', 'Clients', 'People', 'Invitations', 'Mail log', 'Audit log', 'Staff', 'Service accounts', 'API tokens', 'Branding', 'My account'],
  admin: ['Overview', 'Clients', 'People', 'Invitations', 'Mail log', 'Audit log', 'Staff', 'Service accounts', 'API tokens', 'Branding', 'My account'],
  support: ['Overview', 'Clients', 'People', 'Invitations', 'Mail log', 'API tokens', 'My account'],
  viewer: ['Overview', 'Clients', 'People', 'Invitations', 'Mail log', 'Audit log', 'Staff', 'Service accounts', 'API tokens', 'Branding', 'My account'],
};

for (const [role, pages] of Object.entries(PAGES)) {
  story(`the navigation of the role ${role} has the pages that it may see`, async ({ world, visitor }) => {
    const tab = await (await visitor()).openConsole(await world.staff(role));
    await tab.shows('Overview');
    assert.deepEqual(await tab.page.getByRole('navigation').getByRole('link').allInnerTexts(), pages);
  });
}

story('a viewer sees no act that the role does not have', async ({ world, visitor }) => {
  const client = await world.client('Acme Ltd');
  await world.person({ client });
  const tab = await (await visitor()).openConsole(await world.staff('viewer'), '/console/clients');
  await tab.shows('Clients');
  for (const act of ['New client', 'Invite', 'Invite many', 'Edit', 'Archive', /^Actions for/, 'Invite a person', 'Create a service account']) {
    for (const path of ['/console/clients', `/console/clients/${client.id}`, '/console/people', '/console/staff', '/console/service-accounts']) {
      if (!tab.page.url().endsWith(path)) await tab.open(path);
      assert.equal(await tab.page.getByRole('button', { name: act, exact: typeof act === 'string' }).count(), 0, `${act} on ${path}`);
    }
  }
});

story('support that opens a page of another role by its address learns that it may not see it', async ({ world, visitor }) => {
  const support = await visitor();
  await (await support.openConsole(await world.staff('support'))).shows('Overview');
  for (const path of ['/console/staff', '/console/service-accounts', '/console/audit', '/console/branding']) {
    const tab = await support.open(path);
    await tab.sees('You may not see this page');
  }
});

story('a member has no page of colleagues, and the server refuses it too', async ({ world, visitor }) => {
  const tab = await (await visitor()).openSignedIn(await world.person({ role: 'member' }));
  await tab.shows('Welcome, Ann Archer');
  assert.equal(await tab.page.getByRole('link', { name: /Colleagues/ }).count(), 0);
  await tab.open('/portal/colleagues');
  await tab.sees('You may not see this page');
});
