import assert from 'node:assert/strict';
import { assertForgotten } from '../support/secrets.mjs';
import { story } from '../support/story.mjs';

/** Returns the requests by which a tab changes something, as they are sent. */
function changesOf({ page }, path) {
  const found = [];
  page.on('request', (request) => {
    const { pathname, search } = new URL(request.url());
    if (request.method() === 'POST' && pathname.endsWith(path) && !search.includes('dry_run=true')) found.push(pathname);
  });
  return found;
}

/** Returns the mails to an address that the log has, also those that are not sent yet. */
const logged = async (world, owner, email) => (await world.asStaff('GET', `/api/v1/emails?recipient=${email}`, undefined, owner)).data;

story('a double click invites a person, starts a bulk invitation and creates a token once', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const client = await world.client('Acme Ltd', owner);
  const [ann, ben, cid] = ['ann', 'ben', 'cid'].map(world.address);
  const tab = await (await visitor()).openConsole(owner, `/console/clients/${client.id}`);
  const invitations = changesOf(tab, '/portal-user');
  await tab.press('Invite');
  await tab.fill('Email address', ann);
  await tab.button('Send the invitation').dblclick();
  await tab.sees(`A setup link is on its way to ${ann}.`);
  const parts = changesOf(tab, '/bulk');
  await tab.follow('Invite many');
  await tab.fill(/^Or paste the rows/, `email\n${ben}\n${cid}`);
  await tab.press('Check the rows');
  await tab.button('Invite 2 people').dblclick();
  await tab.sees('2 people are invited.');
  for (const email of [ann, ben, cid]) {
    await world.link(email, 'activate');
    assert.equal((await logged(world, owner, email)).length, 1, email);
    assert.equal((await world.mails(email)).length, 1, email);
  }
  const tokens = changesOf(tab, '/tokens');
  await tab.open('/console/tokens');
  await tab.press('Create a token');
  await tab.fill('Name', 'Nightly export');
  await tab.page.getByRole('dialog').getByRole('checkbox').first().check();
  await tab.button('Create the token').dblclick();
  await tab.press('I have stored the token');
  assert.equal((await world.asStaff('GET', '/api/v1/tokens', undefined, owner)).data.length, 1);
  assert.deepEqual([invitations.length, parts.length, tokens.length], [1, 1, 1]);
});

story('a reload of a checked table sends nothing, and a reload of a new token does not show it again', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const client = await world.client('Acme Ltd', owner);
  const tab = await (await visitor()).openConsole(owner, `/console/clients/${client.id}/bulk-invite`);
  const email = world.address('ann');
  await tab.fill(/^Or paste the rows/, `email\n${email}`);
  await tab.press('Check the rows');
  await tab.sees('1 person can be invited');
  await tab.page.reload();
  await tab.button('Choose a file').waitFor();
  assert.deepEqual(await logged(world, owner, email), []);
  await tab.open('/console/tokens');
  await tab.press('Create a token');
  await tab.fill('Name', 'Nightly export');
  await tab.page.getByRole('dialog').getByRole('checkbox').first().check();
  await tab.press('Create the token');
  const token = await tab.field('Token').inputValue();
  const questions = [];
  tab.page.on('dialog', (dialog) => questions.push(dialog.type()) && dialog.accept());
  await tab.page.reload();
  await tab.page.getByRole('row', { name: 'Nightly export' }).first().waitFor();
  assert.deepEqual(questions, ['beforeunload']);
  await tab.sees('A token is shown only once, when it is created.');
  assert.equal(await tab.field('Token').count(), 0);
  await assertForgotten(tab, token);
});
