import assert from 'node:assert/strict';
import { story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

const NEW_PASSWORD = 'violin-harbour-93';

story('a person who has forgotten the password sets a new one and signs in with it', async ({ world, visitor }) => {
  const email = await world.person();
  const tab = await (await visitor()).open('/portal/sign-in');
  await tab.follow('Forgot your password?');
  await tab.shows('Forgot your password?');
  await tab.send({ 'Email address': email }, 'Send the link');
  await tab.shows('Check your mailbox');
  await tab.page.reload();
  await tab.shows('Forgot your password?');
  await tab.open((await world.link(email, 'reset-password')).url);
  await tab.shows('Set a new password');
  await tab.page.reload();
  await tab.send({ 'New password': NEW_PASSWORD }, 'Set the password');
  await tab.sees('Your password is set.');
  await tab.page.reload();
  await tab.sees('Your password is set.');
  await tab.page.goBack();
  await tab.shows('Forgot your password?');
  await tab.page.goForward();
  await tab.shows('Sign in');
  assert.equal((await world.mailsWithLink(email, 'reset-password')).length, 1, 'one mail was sent');
  await tab.send({ Password: PASSWORD }, 'Sign in');
  await tab.sees('The email address or the password is not correct.');
  await tab.send({ Password: NEW_PASSWORD }, 'Sign in');
  await tab.shows('Welcome, Ann Archer');
});

story('the answer for an unknown address is the same as for a known one', async ({ world, visitor }) => {
  const answers = [];
  const [known, unknown] = [await world.person(), world.address('anonymous')];
  for (const email of [known, unknown]) {
    const tab = await (await visitor()).open('/portal/forgot-password');
    await tab.send({ 'Email address': email }, 'Send the link');
    await tab.shows('Check your mailbox');
    answers.push((await tab.page.getByRole('main').innerText()).replace(email, '(address)'));
  }
  assert.equal(answers[1], answers[0]);
  await world.link(known, 'reset-password');
  await world.awaitMail(unknown, 'suppressed');
  assert.deepEqual(await world.mails(unknown), []);
});

story('a reset link dies by its use, by a newer password, and by three newer links', async ({ world, visitor }) => {
  const [ann, email] = [await visitor(), await world.person()];
  const older = await world.resetLink(email);
  const tab = await ann.open(older.url);
  await tab.shows('Set a new password');
  const { token, url } = await world.resetLink(email);
  await world.call('POST', '/api/portal/auth/reset-password', { body: { token, password: NEW_PASSWORD } });
  await tab.send({ 'New password': PASSWORD }, 'Set the password');
  await tab.shows('This link is no longer valid');
  await tab.open(url);
  await tab.shows('This link was already used');
  await tab.follow('Set a new password');
  await tab.shows('Forgot your password?');

  const { url: beforeChange } = await world.resetLink(email);
  await ann.post('/api/portal/auth/sign-in', { email, password: NEW_PASSWORD });
  await ann.post('/api/portal/auth/change-password', { current_password: NEW_PASSWORD, new_password: PASSWORD });
  await tab.open(beforeChange);
  await tab.shows('This link is no longer valid');

  const { data } = await world.asStaff('GET', `/api/v1/portal-users?q=${email}`);
  const [{ id, client }] = data;
  const links = [];
  for (let count = 0; count < 4; count += 1) {
    await world.asStaff('POST', `/api/v1/clients/${client.id}/portal-users/${id}/send-reset`);
    links.push(await world.link(email, 'reset-password'));
  }
  await tab.open(links[0].url);
  await tab.sees('there is a newer mail');
  await tab.open(links[1].url);
  await tab.shows('Set a new password');
});

story('a password that is changed in the account ends the other sessions', async ({ world, visitor }) => {
  const email = await world.person();
  const [tab, phone] = [await (await visitor()).openSignedIn(email, '/portal/account/password'), await (await visitor()).openSignedIn(email)];
  await phone.shows('Welcome, Ann Archer');
  await tab.send({ 'Current password': 'not-my-password', 'New password': NEW_PASSWORD }, 'Change the password');
  await tab.sees('This password is not correct.');
  await tab.send({ 'Current password': PASSWORD, 'New password': NEW_PASSWORD }, 'Change the password');
  await tab.sees('Your password is changed.');
  await phone.follow(/^Devices/);
  await phone.shows('Sign in');
  await phone.sees('Your session was ended');
});
