import assert from 'node:assert/strict';
import { pageStory } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

pageStory('a double click sends once', async ({ world, visitor }) => {
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

pageStory('on a slow network, the button keeps its width and says that it works', async ({ world, visitor }) => {
  const email = await world.person();
  const ann = await visitor();
  const tab = await ann.open('/portal/sign-in');
  let onRequest;
  const request = new Promise((resolve) => (onRequest = resolve));
  await ann.context.route('**/auth/sign-in', onRequest);
  const { width } = await tab.button('Sign in').boundingBox();
  await tab.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await tab.page.locator('button[aria-disabled=true]').waitFor();
  assert.equal((await tab.button('Sign in').boundingBox()).width, width);
  await (await request).continue();
  await tab.shows('Welcome, Ann Archer');
});

pageStory('without a connection, or behind a broken proxy, the form says so and works afterwards', async ({ world, visitor }) => {
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

pageStory('an answer that was lost after the password was set is explained', async ({ world, visitor }) => {
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

pageStory('a page after sign-in that has no connection offers to try again', async ({ world, visitor }) => {
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

pageStory('after too many attempts, the button waits for the time that the server names, and works afterwards', async ({ world, visitor }) => {
  const email = await world.person();
  const ann = await visitor();
  await ann.context.clock.install();
  const tab = await ann.open('/portal/sign-in');
  const wrong = { email, password: 'not-my-password' };
  for (let count = 0; count < 5; count += 1) await ann.context.request.post('/api/portal/auth/sign-in', { data: wrong });
  await tab.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await tab.sees('There were too many attempts.');
  await tab.sees(/You can try again in \d minutes\./);
  await tab.page.clock.fastForward('02:00');
  await tab.sees(/You can try again in \d+ seconds?\./);
  let requests = 0;
  ann.context.on('request', (request) => (requests += request.method() === 'POST' ? 1 : 0));
  await tab.field('Password').press('Enter');
  assert.equal(await tab.button('Sign in').getAttribute('aria-disabled'), 'true');
  assert.equal(requests, 0);
  await world.deployment.sql("UPDATE rate_limits SET theoretical_arrival = 0 WHERE key LIKE 'sign_in_account:%'");
  await tab.page.clock.fastForward('01:00');
  await tab.sees('You can try again now.');
  await tab.press('Sign in');
  await tab.shows('Welcome, Ann Archer');
});

/** Lets calls of a path fail with a problem of the API until the returned function is called. */
async function refuse(visitor, path, status, code, retry_after) {
  visitor.expect(/^Failed to load resource/);
  const json = { type: `urn:portico:${code}`, title: code, status, code, request_id: '00000000-0000-7000-8000-000000000000', retry_after };
  const pattern = `**/api/portal/${path}`;
  await visitor.context.route(pattern, (route) => route.fulfill({ status, contentType: 'application/problem+json', json }));
  return () => visitor.context.unroute(pattern);
}

pageStory('while the service is not available, each kind of page says so and works afterwards', async ({ world, visitor }) => {
  const email = await world.person();
  const ann = await visitor();
  await ann.context.clock.install();
  const tab = await ann.open('/portal/sign-in');
  let recover = await refuse(ann, 'auth/sign-in', 503, 'overloaded', 3);
  await tab.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await tab.sees('The server is busy.');
  await tab.sees('Request 00000000-');
  await recover();
  await tab.page.clock.fastForward('00:03');
  await tab.sees('You can try again now.');
  await tab.press('Sign in');
  await tab.shows('Welcome, Ann Archer');

  const { url } = await world.resetLink(email);
  for (const [path, address, button, heading] of [
    ['auth/check-token', url, 'Try again', 'Set a new password'],
    ['auth/session', '/portal/account', 'Try again', 'Profile'],
    ['sessions*', '/portal/account/sessions', 'Try again', 'This device'],
  ]) {
    recover = await refuse(ann, path, 503, 'unavailable', 3);
    await tab.open(address);
    await tab.sees('The service is not available at the moment.');
    await tab.sees(/You can try again/);
    await recover();
    await tab.press(button);
    await tab.sees(heading);
  }
});

for (const [name, days] of [['behind', -1], ['ahead', 1]]) {
  pageStory(`with the clock of the browser a day ${name}, a person activates, goes on, and signs out`, async ({ world, visitor }) => {
    const email = await world.invite();
    const ann = await visitor();
    await ann.context.clock.install({ time: Date.now() + days * 24 * 60 * 60_000 });
    const tab = await ann.open((await world.link(email, 'activate')).url);
    await tab.send({ 'New password': PASSWORD }, 'Activate the account');
    await tab.shows('Welcome, Ann Archer');
    await ann.endAccess();
    await tab.follow(/^Devices/);
    await tab.sees('This device');
    await tab.signOut();
    await tab.shows('You have signed out');
  });
}

/** What browsers lack, or refuse to a page. Each function runs before the scripts of the page. */
const DENIED = {
  'storage is denied': () => {
    const refuse = () => {
      throw new DOMException('The operation is insecure.', 'SecurityError');
    };
    for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(globalThis, name, { get: refuse });
  },
  'there are no messages and no locks between tabs': () => {
    delete globalThis.BroadcastChannel;
    delete Navigator.prototype.locks;
  },
  'messages and locks between tabs are denied': () => {
    const error = new DOMException('The operation is insecure.', 'SecurityError');
    globalThis.BroadcastChannel = class {
      constructor() {
        throw error;
      }
    };
    Object.defineProperty(Navigator.prototype, 'locks', { get: () => ({ request: () => Promise.reject(error) }) });
  },
};

for (const [what, deny] of Object.entries(DENIED)) {
  pageStory(`where ${what}, a person activates, signs out and in, and goes on`, async ({ world, visitor }) => {
    const email = await world.invite();
    const ann = await visitor();
    await ann.context.addInitScript(deny);
    const tab = await ann.open((await world.link(email, 'activate')).url);
    await tab.send({ 'New password': PASSWORD }, 'Activate the account');
    await tab.shows('Welcome, Ann Archer');
    await tab.signOut();
    await tab.shows('You have signed out');
    await tab.follow('Sign in again');
    await tab.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
    await tab.shows('Welcome, Ann Archer');
    await ann.endAccess();
    await tab.follow(/^Devices/);
    await tab.sees('This device');
    await tab.page.reload();
    await tab.sees('This device');
  });
}
