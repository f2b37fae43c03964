// The element <portico-sign-in>, as it is built, in a page of another origin with a strict content security policy.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openHost, start, stop } from './support/host-page.mjs';
import { problem } from '../support/problem.mjs';

const MAX_GZIPPED_BYTES = 13_000;
const user = { id: 'u1', email: 'ann@example.com', name: 'Ann', locale: null };
const session = {
  json: { status: 'signed_in', access_token: 'secret', token_type: 'Bearer', expires_in: 900, user, client: null },
};

before(start);
after(stop);

/** A test with a page that closes at its end. It fails if the page has broken its policy. */
const story = (name, attributes, answer, check) =>
  test(name, async () => {
    const host = await openHost(attributes, answer);
    try {
      await check(host);
      const violations = (await host.events()).filter((event) => typeof event === 'string');
      assert.deepEqual(violations, []);
    } finally {
      await host.close();
    }
  });

async function send(page, email, password) {
  await page.getByLabel('Email address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

story('it signs in, and tells the page who it is but no token', '', () => session, async ({ page, calls, events }) => {
  await send(page, 'ann@example.com', 'seven wild horses drink tea');
  await page.getByText('You are signed in.').waitFor();
  assert.deepEqual(calls.map(({ body }) => body), [{ email: 'ann@example.com', password: 'seven wild horses drink tea' }]);
  assert.deepEqual(await events(), [{ user, client: null }]);
});

const challenge = { status: 'mfa_required', challenge: 'c1', methods: ['totp', 'recovery_code'], trusted_device_days: 30, expires_in: 300 };
/** Answers the first step with a challenge, and the second one with `second`. */
const challenged = (second) => (url) => (url.endsWith('/sign-in') ? { json: challenge } : second);

story('it asks for a second factor, and sends no more than that', '', challenged(session), async ({ page, calls, events }) => {
  await send(page, 'ann@example.com', 'seven wild horses drink tea');
  const code = page.getByLabel('Code of the authenticator app');
  await code.and(page.locator(':focus')).waitFor();
  await page.getByRole('button', { name: 'Use a recovery code instead' }).click();
  await page.getByLabel('Recovery code').and(page.locator(':focus')).waitFor();
  await page.getByRole('button', { name: 'Use the authenticator app instead' }).click();
  await page.getByLabel('Do not ask again in this browser for 30 days').check();
  await code.fill('123 456');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('You are signed in.').waitFor();
  assert.deepEqual(calls[1], { url: '/api/portal/auth/mfa/verify', body: { challenge: 'c1', code: '123456', trust_device: true } });
  assert.deepEqual(await events(), [{ user, client: null }]);
});

story('it gives a sign-in up, and ends it after five wrong codes', '', challenged(problem(401, 'invalid_code')), async ({ page, calls }) => {
  await send(page, 'ann@example.com', 'seven wild horses drink tea');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByLabel('Email address').and(page.locator(':focus')).waitFor();
  assert.deepEqual(calls[1], { url: '/api/portal/auth/mfa/cancel', body: { challenge: 'c1' } });
  await send(page, 'ann@example.com', 'seven wild horses drink tea');
  for (let times = 1; times < 5; times += 1) {
    await page.getByLabel('Code of the authenticator app').fill(`00000${times}`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('This code is not correct, or it was already used.').waitFor();
  }
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').getByText('This sign-in has ended. Sign in again.').waitFor();
  await page.getByLabel('Password', { exact: true }).waitFor();
});

const step = { json: { status: 'mfa_enrolment_required', challenge: 'c1', methods: ['totp'] } };
story('it tells the page that the server asks for a step that it lacks, and the form stays', '', () => step, async ({ page, events }) => {
  await send(page, 'ann@example.com', 'seven wild horses drink tea');
  await page.waitForFunction(() => window.events.length > 0);
  assert.deepEqual(await events(), [{ step: 'mfa_enrolment_required' }]);
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
});

story('it says why it was refused, and keeps the address', '', () => problem(401, 'invalid_credentials'), async ({ page, events }) => {
  await send(page, 'ann@example.com', 'wrong');
  await page.getByRole('alert').getByText('is not correct').waitFor();
  assert.equal(await page.getByLabel('Email address').inputValue(), 'ann@example.com');
  assert.deepEqual(await events(), []);
});

story('it does not send while a limit holds', '', () => problem(429, 'too_many_requests', { retry_after: 2 }), async ({ page, calls }) => {
  await send(page, 'ann@example.com', 'wrong');
  await page.getByText('You can try again in').waitFor();
  await page.getByRole('button', { name: 'Sign in' }).dispatchEvent('click');
  assert.equal(calls.length, 1);
  await page.getByText('You can try again in').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('You can try again in').waitFor();
  assert.equal(calls.length, 2);
});

story('empty fields are named, and nothing is sent', '', () => session, async ({ page, calls }) => {
  await page.getByRole('button', { name: 'Sign in' }).click();
  assert.equal(await page.getByText('Fill in this field.').count(), 2);
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('name')), 'email');
  assert.deepEqual(calls, []);
});

const css = { contentType: 'text/css', body: ':root{--portico-accent:rgb(1, 2, 3);--portico-on-accent:#ffffff}' };
story('it has the language and the colours that its attributes name', 'locale="de-CH" tenant="acme"', () => css, async ({ page, calls }) => {
  const button = page.getByRole('button', { name: 'Anmelden' });
  await page.waitForFunction(() => getComputedStyle(document.querySelector('button')).backgroundColor === 'rgb(1, 2, 3)');
  assert.deepEqual(calls.map(({ url }) => url), ['/api/portal/brand.css?tenant=acme']);
  await page.evaluate(() => document.querySelector('portico-sign-in').setAttribute('locale', 'fr'));
  await page.getByRole('button', { name: 'Se connecter' }).waitFor();
  assert.equal(await button.count(), 0);
});

story('it is small', '', () => session, async ({ script }) => {
  const { length } = gzipSync(script, { level: 9 });
  assert.ok(length <= MAX_GZIPPED_BYTES, `${length} bytes`);
});
