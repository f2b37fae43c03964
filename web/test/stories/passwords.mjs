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
  await tab.open((await world.link(email, 'reset-password')).url);
  await tab.shows('Set a new password');
  await tab.send({ 'New password': NEW_PASSWORD }, 'Set the password');
  await tab.shows('Sign in');
  await tab.sees('Your password is set.');
  await tab.send({ Password: PASSWORD }, 'Sign in');
  await tab.sees('The email address or the password is not correct.');
  await tab.send({ Password: NEW_PASSWORD }, 'Sign in');
  await tab.shows('Welcome, Ann Archer');
});

story('the answer for an unknown address is the same as for a known one', async ({ world, visitor }) => {
  const tab = await (await visitor()).open('/portal/forgot-password');
  await tab.send({ 'Email address': world.address('anonymous') }, 'Send the link');
  await tab.shows('Check your mailbox');
});

story('a reset link that has expired, was used or was replaced says so and offers a way on', async ({ world, visitor }) => {
  const [ann, email] = [await visitor(), await world.person()];
  const expired = await world.resetLink(email);
  await world.expire(email, 'reset');
  let tab = await ann.open(expired.url);
  await tab.shows('This link has expired');
  await tab.press('Send me a new link');
  await tab.shows('A new link is on its way');

  const [used, sibling] = [await world.link(email, 'reset-password'), await world.resetLink(email)];
  await world.call('POST', '/api/portal/auth/reset-password', { body: { token: used.token, password: NEW_PASSWORD } });
  tab = await ann.open(used.url);
  await tab.shows('This link was already used');
  tab = await ann.open(sibling.url);
  await tab.shows('This link is no longer valid');
  await tab.follow('Set a new password');
  await tab.shows('Forgot your password?');
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
