import assert from 'node:assert/strict';
import { story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

/** A client with a person, the page of the client in the console, and the browser of the person. */
async function acme({ world, visitor }) {
  const client = await world.client('Acme Ltd');
  const email = await world.person({ client });
  const tab = await (await visitor()).openConsole(await world.staff('owner'), `/console/clients/${client.id}`);
  const ann = await (await visitor()).openSignedIn(email);
  await ann.shows('Welcome, Ann Archer');
  return { client, email, tab, ann };
}

story('staff send a password reset, and only its link changes the password', async ({ world, visitor }) => {
  const { email, tab } = await acme({ world, visitor });
  await tab.act('Ann Archer', 'Send a password reset');
  await tab.confirm('Send the link');
  await tab.sees(`A reset link is on its way to ${email}.`);
  const { url } = await world.link(email, 'reset-password');
  const phone = await (await visitor()).open('/portal/sign-in');
  await phone.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await phone.shows('Welcome, Ann Archer');
  await phone.open(url);
  await phone.send({ 'New password': 'violet-harbour-87' }, 'Set the password');
  await phone.sees('Your password is set.');
  const { status } = await world.call('POST', '/api/portal/auth/sign-in', { body: { email, password: 'violet-harbour-87' } });
  assert.equal(status, 200);
});

story('a person who is removed from a client is signed out there, and leaves the lists', async ({ world, visitor }) => {
  const { email, tab, ann } = await acme({ world, visitor });
  await tab.act('Ann Archer', 'Remove');
  await tab.confirm('Remove the person');
  await tab.sees('Ann Archer no longer has access to this client.');
  await tab.sees('No person has access to this client yet.');
  await ann.page.reload();
  await ann.shows('Sign in');
  await ann.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await ann.sees('The email address or the password is not correct.');
  await tab.open(`/console/people?q=${email}`);
  await tab.sees('Nothing matches the filters');
});

story('the name and the status of a client are changed, and its people see both', async ({ world, visitor }) => {
  const { tab, ann } = await acme({ world, visitor });
  await ann.misses('A payment for this client is overdue.');
  await tab.press('Edit');
  await tab.page.getByRole('dialog').getByLabel('Status').selectOption('past_due');
  await tab.send({ Name: 'Acme International' }, 'Save');
  await tab.shows('Acme International');
  await tab.sees('Past due');
  await ann.page.reload();
  await ann.sees('A payment for this client is overdue.');
  await ann.sees('Acme International');
});
