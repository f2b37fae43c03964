import assert from 'node:assert/strict';
import { story } from '../support/story.mjs';

story('the invite form says beforehand and afterwards what goes out', async ({ world, visitor }) => {
  const [client, known] = [await world.client('Acme Ltd'), await world.person({ client: await world.client('Elsewhere') })];
  const tab = await (await visitor()).openConsole(await world.staff('owner'), `/console/clients/${client.id}`);
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
  const tab = await (await visitor()).openConsole(await world.staff('owner'), `/console/clients/${client.id}`);
  await tab.act(wrong, 'Send again');
  await tab.confirm('Send again');
  await tab.sees(`A new link is on its way to ${wrong}.`);
  const second = await world.link(wrong, 'activate');
  const isDead = async ({ token }) => (await world.call('POST', '/api/portal/auth/check-token', { body: { token } })).status === 410;
  assert.deepEqual([await isDead(first), await isDead(second)], [true, false], 'only the latest link works');
  await tab.act(wrong, 'Correct the address');
  await tab.send({ 'Email address': right }, 'Correct and send');
  const third = await world.link(right, 'activate');
  assert.deepEqual([await isDead(second), await isDead(third)], [true, false], 'only the link to the right address works');
  await tab.act(right, 'Cancel the invitation');
  await tab.confirm('Cancel the invitation');
  await tab.sees(`The invitation to ${right} is cancelled.`);
  assert.ok(await isDead(third));
  assert.deepEqual([(await world.mails(wrong)).length, (await world.mails(right)).length], [2, 1]);
});

story('a person whose access is disabled is signed out, and back once it is enabled', async ({ world, visitor }) => {
  const client = await world.client('Acme Ltd');
  const email = await world.person({ client });
  const ann = await (await visitor()).openSignedIn(email);
  await ann.shows('Welcome, Ann Archer');
  const tab = await (await visitor()).openConsole(await world.staff('owner'), `/console/clients/${client.id}`);
  await tab.act('Ann Archer', 'Disable');
  await tab.confirm('Disable the access');
  await tab.sees('The access of Ann Archer is disabled.');
  await ann.page.reload();
  await ann.shows('Sign in');
  await ann.send({ 'Email address': email, Password: 'quartz-lantern-41' }, 'Sign in');
  await ann.sees('The email address or the password is not correct.');
  await tab.act('Ann Archer', 'Enable');
  await tab.confirm('Enable the access');
  await tab.sees('The access of Ann Archer is enabled.');
  await ann.press('Sign in');
  await ann.shows('Welcome, Ann Archer');
});

story('an archived client is closed to its people until it is restored', async ({ world, visitor }) => {
  const client = await world.client('Acme Ltd');
  const email = await world.person({ client });
  const tab = await (await visitor()).openConsole(await world.staff('owner'), `/console/clients/${client.id}`);
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
  const { owner } = await world.tenant();
  for (const name of ['Searchable Shipping', 'Other Office']) await world.client(name, owner);
  const tab = await (await visitor()).openConsole(owner, '/console/clients');
  await tab.sees('Other Office');
  await tab.fill('Search', 'searchable');
  await tab.isAt(/q=searchable/);
  await tab.page.reload();
  await tab.holds('Search', 'searchable');
  await tab.sees('Searchable Shipping');
  await tab.page.getByRole('row', { name: 'Other Office' }).waitFor({ state: 'detached' });
  await tab.page.goBack();
  await tab.isAt('/console/clients');
  await tab.sees('Other Office');
  await tab.holds('Search', '');
});
