import assert from 'node:assert/strict';
import { DEMO } from '../support/deployments.mjs';
import { story } from '../support/story.mjs';

story('the invite form says beforehand and afterwards what goes out', async ({ world, visitor }) => {
  const [client, known] = [await world.client('Acme Ltd'), await world.person({ client: await world.client('Elsewhere') })];
  const tab = await (await visitor()).openConsole(DEMO.owner, `/console/clients/${client.id}`);
  await tab.press('Invite');
  await tab.fill('Email address', world.address('new'));
  await tab.sees('A setup link goes out.');
  await tab.fill('Email address', known);
  await tab.sees('An access notice goes out.');
  await tab.press('Send the invitation');
  await tab.sees(`${known} has access now.`);
  await tab.press('Invite');
  await tab.fill('Email address', known);
  await tab.sees('Nothing will be sent.');
});

story('an invitation is sent again, corrected and cancelled', async ({ world, visitor }) => {
  const client = await world.client('Acme Ltd');
  const [wrong, right] = [await world.invite({ client }), world.address('right')];
  const first = await world.link(wrong, 'activate');
  const tab = await (await visitor()).openConsole(DEMO.owner, `/console/clients/${client.id}`);
  const act = async (email, item, confirm, fields = {}) => {
    await tab.page.getByRole('button', { name: `Actions for ${email}` }).click();
    await tab.page.getByRole('button', { name: item, exact: true }).filter({ visible: true }).click();
    for (const [label, value] of Object.entries(fields)) await tab.page.getByRole('dialog').getByLabel(label).fill(value);
    await tab.page.getByRole('dialog').getByRole('button', { name: confirm, exact: true }).click();
  };
  await act(wrong, 'Send again', 'Send again');
  await tab.sees(`A new link is on its way to ${wrong}.`);
  await world.link(wrong, 'activate');
  const { status } = await world.call('POST', '/api/portal/auth/check-token', { body: { token: first.token } });
  assert.equal(status, 410, 'the older link is dead');
  await act(wrong, 'Correct the address', 'Correct and send', { 'Email address': right });
  await world.link(right, 'activate');
  await act(right, 'Cancel the invitation', 'Cancel the invitation');
  await tab.sees(`The invitation to ${right} is cancelled.`);
});

story('a person whose access is disabled is signed out, and back once it is enabled', async ({ world, visitor }) => {
  const client = await world.client('Acme Ltd');
  const email = await world.person({ client });
  const ann = await (await visitor()).openSignedIn(email);
  await ann.shows('Welcome, Ann Archer');
  const tab = await (await visitor()).openConsole(DEMO.owner, `/console/clients/${client.id}`);
  await tab.press('Actions for Ann Archer');
  await tab.press('Disable');
  await tab.press('Disable the access');
  await tab.sees('The access of Ann Archer is disabled.');
  await ann.page.reload();
  await ann.shows('Sign in');
  await tab.press('Actions for Ann Archer');
  await tab.press('Enable');
  await tab.press('Enable the access');
  await tab.sees('The access of Ann Archer is enabled.');
});

story('an archived client is closed to its people until it is restored', async ({ world, visitor }) => {
  const client = await world.client('Acme Ltd');
  const email = await world.person({ client });
  const tab = await (await visitor()).openConsole(DEMO.owner, `/console/clients/${client.id}`);
  await tab.press('Archive');
  await tab.press('Archive the client');
  await tab.sees('This client is archived.');
  await tab.misses('Invite many');
  const ann = await (await visitor()).open('/portal/sign-in');
  await ann.send({ 'Email address': email, Password: 'quartz-lantern-41' }, 'Sign in');
  await ann.sees('Access to this portal is suspended.');
  await tab.press('Restore');
  await tab.press('Restore the client');
  await ann.press('Sign in');
  await ann.shows('Welcome, Ann Archer');
});

story('a search in a list is in the address, survives a reload, and the back button undoes it', async ({ world, visitor }) => {
  await world.client('Searchable Shipping');
  const tab = await (await visitor()).openConsole(DEMO.owner, '/console/clients');
  await tab.shows('Clients');
  await tab.fill('Search', 'searchable');
  await tab.isAt(/q=searchable/);
  await tab.page.reload();
  assert.equal(await tab.field('Search').inputValue(), 'searchable');
  await tab.sees('Searchable Shipping');
});
