// `<portico-sign-in>` in the page of another application of the same site: the example of docs/embedding.md.
import assert from 'node:assert/strict';
import { startApplication } from '../support/application.mjs';
import { story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

const ELEMENT = '/elements/portico-sign-in.js';

/** Browsers send no header of their own to another origin, so these name no network. */
const PLAIN = { extraHTTPHeaders: {} };

/** Opens the sign-in page of an application. */
async function openApplication(ann, { origin }) {
  const tab = await ann.open('about:blank');
  tab.expectHost(new URL(origin).host);
  await tab.open(`${origin}/sign-in`);
  return tab;
}

story('an application of the same site signs in by the element, and the session holds in the portal', async ({ world, visitor }) => {
  const ann = await visitor(PLAIN);
  const tab = await openApplication(ann, world.deployment.application);
  const messages = [];
  tab.page.on('console', (message) => messages.push(message.text()));
  // Password managers see fields only outside of a shadow root.
  for (const name of ['username', 'current-password']) {
    assert.equal(await tab.page.evaluate((each) => document.querySelectorAll(`form [autocomplete=${each}]`).length, name), 1);
  }
  await tab.send({ 'Email address': await world.person(), Password: 'not-my-password' }, 'Sign in');
  await tab.sees('The email address or the password is not correct.');
  assert.deepEqual(await ann.context.cookies(), []);
  await tab.send({ Password: PASSWORD }, 'Sign in');
  await tab.shows('Your orders');
  assert.ok(messages.includes('Ann Archer acts for Acme Ltd'), messages.join());
  await tab.open(`${world.origin}/portal`);
  await tab.shows('Welcome, Ann Archer');
});

story('the element asks for a second factor', async ({ world, visitor }) => {
  const email = await world.person();
  const { app } = await world.addFactor(email);
  const tab = await openApplication(await visitor(PLAIN), world.deployment.application);
  await tab.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await tab.send({ 'Code of the authenticator app': app.wrongCode() }, 'Sign in');
  await tab.sees('This code is not correct, or it was already used.');
  await tab.send({ 'Code of the authenticator app': await app.code() }, 'Sign in');
  await tab.shows('Your orders');
});

// In production, sign-in leads to https only.
const development = { on: ['single'] };
story('the example goes to the sign-in page for a step that the element lacks, and comes back', async ({ world, visitor }) => {
  const ann = await visitor(PLAIN);
  const tab = await openApplication(ann, world.deployment.application);
  // The setup of a second factor, which the sign-in page would show if the answer were the server's.
  const headers = { 'access-control-allow-origin': world.deployment.application.origin, 'access-control-allow-credentials': 'true' };
  await ann.context.route('**/auth/sign-in', (route) => route.fulfill({ json: { status: 'mfa_enrolment_required' }, headers }));
  const email = await world.person();
  await tab.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await tab.isAt(({ origin }) => origin === world.origin);
  await ann.context.unroute('**/auth/sign-in');
  await tab.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await tab.shows('Your orders');
}, development);

story('the element is kept for five minutes, and pages of an allowed origin may read it', async ({ world }) => {
  const { origin } = world.deployment.application;
  const { headers } = await fetch(world.origin + ELEMENT, { headers: { origin } });
  const kept = ['cache-control', 'access-control-allow-origin'].map((name) => headers.get(name));
  assert.deepEqual(kept, ['public, max-age=300', origin]);
});

// In development, every origin on loopback is allowed.
const production = { on: ['cluster'] };
story('an application that the operator has not allowed gets neither the element nor an answer', async ({ world, visitor }) => {
  const other = await startApplication();
  other.portico = world.origin;
  const ann = await visitor(PLAIN);
  ann.expect(/ has been blocked by CORS policy/);
  ann.expect(/^Failed to load resource: net::ERR_FAILED/);
  const tab = await openApplication(ann, other);
  assert.equal(await tab.page.evaluate(signIn, world.origin), 'TypeError: Failed to fetch');
  assert.equal(await tab.page.locator('portico-sign-in form').count(), 0);
  other.stop();
}, production);

/** Runs in the page: calls the API as the element does. Returns the status, or why there is no answer. */
function signIn(portico) {
  const body = JSON.stringify({ email: 'ann@acme.test', password: 'not-my-password' });
  const options = { method: 'POST', credentials: 'include', body, headers: { 'content-type': 'application/json' } };
  return fetch(`${portico}/api/portal/auth/sign-in`, options).then(({ status }) => status, String);
}
