import assert from 'node:assert/strict';
import { story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

story('sign-in says that a password is wrong, and leads to the start page with the right one', async ({ world, visitor }) => {
  const email = await world.person();
  const tab = await (await visitor()).open('/portal/sign-in');
  await tab.send({ 'Email address': email, Password: 'not-my-password' }, 'Sign in');
  await tab.sees('The email address or the password is not correct.');
  await tab.send({ Password: PASSWORD }, 'Sign in');
  await tab.shows('Welcome, Ann Archer');
  await tab.isAt('/portal');
});

story('a reload and the back button forget the error of a sign-in', async ({ world, visitor }) => {
  const email = await world.person();
  const tab = await (await visitor()).open('/portal/sign-in');
  await tab.send({ 'Email address': email, Password: 'not-my-password' }, 'Sign in');
  await tab.sees('The email address or the password is not correct.');
  await tab.page.reload();
  await tab.shows('Sign in');
  await tab.misses('The email address or the password is not correct.');
  await tab.follow('Forgot your password?');
  await tab.shows('Forgot your password?');
  await tab.page.goBack();
  await tab.shows('Sign in');
  await tab.page.goForward();
  await tab.shows('Forgot your password?');
  await tab.follow('Back to sign-in');
  await tab.shows('Sign in');
  await tab.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await tab.shows('Welcome, Ann Archer');
  await tab.page.goBack();
  await tab.sees('You are still signed in.');
});

story('a person whose session lives goes on without the password', async ({ world, visitor }) => {
  const ann = await visitor();
  const tab = await ann.openSignedIn(await world.person(), '/portal/account');
  await tab.shows('Profile');
  await ann.endAccess();
  await tab.open('/portal/sign-in?return_to=/portal/account/sessions');
  await tab.sees('You are still signed in.');
  await tab.isAt('/portal/sign-in?return_to=/portal/account/sessions');
  await tab.follow('Continue as Ann Archer');
  await tab.shows('Devices');
});

story('a staff user whose session lives goes on without a code', async ({ world, visitor }) => {
  const viewer = await visitor();
  const tab = await viewer.openConsole(await world.staff('viewer'), '/console/account');
  await tab.shows('My account');
  await viewer.endAccess();
  await tab.open('/console/sign-in?return_to=/console/account');
  await tab.follow(/^Continue as /);
  await tab.shows('My account');
});

story('the sign-in page asks for no session where no user has signed in, or the user has signed out', async ({ world, visitor }) => {
  const ann = await visitor();
  const requests = [];
  ann.context.on('request', (request) => requests.push(new URL(request.url()).pathname));
  const tab = await ann.open('/portal/sign-in');
  await tab.shows('Sign in');
  await tab.page.waitForLoadState('networkidle');
  assert.deepEqual(requests.filter((path) => path === '/api/portal/auth/session'), []);
  await tab.send({ 'Email address': await world.person(), Password: PASSWORD }, 'Sign in');
  await tab.shows('Welcome, Ann Archer');
  await tab.signOut();
  await tab.shows('You have signed out');
  requests.length = 0;
  await tab.follow('Sign in again');
  await tab.shows('Sign in');
  await tab.page.waitForLoadState('networkidle');
  assert.deepEqual(requests.filter((path) => path === '/api/portal/auth/session'), []);
});
