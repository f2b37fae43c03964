import assert from 'node:assert/strict';
import { story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

story('a double click sends once', async ({ world, visitor }) => {
  const email = await world.person();
  const ann = await visitor();
  const tab = await ann.open('/portal/forgot-password');
  let requests = 0;
  await ann.context.route('**/forgot-password', async (route) => {
    if (route.request().method() === 'POST') requests += 1;
    await route.continue();
  });
  await tab.fill('Email address', email);
  await tab.button('Send the link').dblclick();
  await tab.shows('Check your mailbox');
  assert.equal(requests, 1);
});

story('on a slow network, the button keeps its width and says that it works', async ({ world, visitor }) => {
  const email = await world.person();
  const ann = await visitor();
  const tab = await ann.open('/portal/sign-in');
  let answer;
  await ann.context.route('**/auth/sign-in', (route) => (answer = () => route.continue()));
  const { width } = await tab.button('Sign in').boundingBox();
  await tab.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await tab.page.locator('button[aria-disabled=true]').waitFor();
  assert.equal((await tab.button('Sign in').boundingBox()).width, width);
  await answer();
  await tab.shows('Welcome, Ann Archer');
});

story('without a connection, or behind a broken proxy, the form says so and works afterwards', async ({ world, visitor }) => {
  const email = await world.person();
  const ann = await visitor();
  const tab = await ann.open('/portal/sign-in');
  tab.expectBrokenNetwork();
  const faults = [
    (route) => route.abort(),
    (route) => route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>502 Bad Gateway</h1>' }),
    (route) => route.fulfill({ status: 200, contentType: 'text/html', body: '<h1>Log in to the hotel</h1>' }),
  ];
  for (const fault of faults) {
    await ann.context.route('**/auth/sign-in', fault);
    await tab.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
    await tab.sees('The server cannot be reached.');
    await ann.context.unroute('**/auth/sign-in');
  }
  await tab.press('Sign in');
  await tab.shows('Welcome, Ann Archer');
});

story('an answer that was lost after the password was set is explained', async ({ world, visitor }) => {
  const email = await world.invite();
  const ann = await visitor();
  const tab = await ann.open((await world.link(email, 'activate')).url);
  tab.expectBrokenNetwork();
  await ann.context.route('**/auth/activate', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await tab.send({ 'New password': PASSWORD }, 'Activate the account');
  await tab.sees('The server cannot be reached.');
  await ann.context.unroute('**/auth/activate');
  await tab.press('Activate the account');
  await tab.sees('the password has arrived');
  await tab.follow('Sign in');
  await tab.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await tab.shows('Welcome, Ann Archer');
});

story('a page after sign-in that has no connection offers to try again', async ({ world, visitor }) => {
  const ann = await visitor();
  const tab = await ann.openSignedIn(await world.person());
  await tab.shows('Welcome, Ann Archer');
  tab.expectBrokenNetwork();
  await ann.context.route('**/api/portal/sessions*', (route) => route.fulfill({ status: 502, contentType: 'text/html', body: 'Bad Gateway' }));
  await tab.follow(/^Devices/);
  await tab.sees('The server cannot be reached.');
  await ann.context.unroute('**/api/portal/sessions*');
  await tab.press('Try again');
  await tab.sees('This device');
});
