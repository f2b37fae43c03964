// The form that sets a password with a mailed link, as it is built, in Chromium, without a server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { checkedLink, openLink, start, stop, TOKEN } from './support/link-page.mjs';
import { problem } from '../support/problem.mjs';

const PASSWORD = 'seven wild horses drink tea';
const ACTIVATE = '/portal/activate';
const RESET = '/portal/reset-password';
const isSet = { json: { status: 'password_reset' } };
const session = {
  json: {
    status: 'signed_in',
    access_token: 'a',
    token_type: 'Bearer',
    expires_in: 900,
    user: { id: 'u1', email: 'ann@example.com', name: 'Ann Baker', locale: 'de' },
    client: null,
  },
};

before(start);
after(stop);

/** A test with a page that closes at its end. */
const story = (name, path, answers, check) =>
  test(name, async () => {
    const form = await openLink(path, answers);
    try {
      await check(form);
    } finally {
      await form.close();
    }
  });

story('the token leaves the address bar and the history, and nothing is spent', ACTIVATE, {}, async (form) => {
  await form.title('Activate your account');
  assert.equal(new URL(form.page.url()).hash, '');
  assert.equal(await form.page.evaluate(() => history.length), 2);
  assert.deepEqual(form.sent('check-token'), [{ token: TOKEN }]);
  assert.deepEqual(form.sent('activate'), []);
});

story('it says which account the link is for, and the rules before one types', ACTIVATE, {}, async (form) => {
  for (const text of ['Ann Baker', 'ann@example.com', 'Acme Ltd', 'At least 8 characters']) await form.text(text);
  assert.equal(await form.page.locator('[autocomplete=username]').inputValue(), 'ann@example.com');
  assert.equal(await form.password.getAttribute('autocomplete'), 'new-password');
});

story('a double click sends once, with the edited name', ACTIVATE, { activate: undefined }, async (form) => {
  await form.page.getByLabel('Your name').fill('Ann B. Baker');
  await form.password.fill(PASSWORD);
  let release;
  form.answer('activate', () => new Promise((resolve) => (release = () => resolve(session))));
  await form.button('Activate the account').dblclick();
  await form.page.keyboard.press('Enter');
  assert.deepEqual(form.sent('activate'), [{ token: TOKEN, password: PASSWORD, name: 'Ann B. Baker' }]);
  const left = form.page.waitForURL('**/portal');
  release();
  await left;
  assert.ok(!(await form.stored()).includes(TOKEN), 'the tab keeps a spent token');
});

story('a reset leads to the sign-in page, which knows the address', RESET, { 'reset-password': isSet }, async (form) => {
  await form.password.fill(PASSWORD);
  await form.button('Set the password').click();
  await form.text('Your password is set.');
  assert.equal(await form.page.getByLabel('Email address').inputValue(), 'ann@example.com');
  assert.ok(!(await form.stored()).includes(TOKEN));
});

story('a reload keeps the form', RESET, {}, async (form) => {
  await form.password.waitFor();
  await form.page.reload();
  await form.password.waitFor();
  assert.equal(form.sent('check-token').length, 2);
});

story('another link in the same tab replaces the first one', RESET, {}, async (form) => {
  await form.password.waitFor();
  await form.page.evaluate(() => void (location.hash = 'token=other'));
  await form.page.waitForFunction(() => location.hash === '');
  await form.password.waitFor();
  assert.deepEqual(form.sent('check-token').at(-1), { token: 'other' });
});

const DEAD = [
  [ACTIVATE, 410, 'token_used', 'This link was already used', 'Your account is active'],
  [ACTIVATE, 410, 'token_revoked', 'This link is no longer valid', 'The invitation was cancelled'],
  [RESET, 410, 'token_used', 'This link was already used', 'receive a new link'],
  [RESET, 410, 'token_revoked', 'This link is no longer valid', 'The password was changed since'],
  [RESET, 404, 'token_unknown', 'This link is not valid', 'not copied completely'],
];
for (const [path, status, code, title, text] of DEAD) {
  story(`${path} says ${code}, and forgets the token`, path, { 'check-token': problem(status, code) }, async (form) => {
    await form.title(title);
    await form.text(text);
    await form.page.getByRole('link', { name: 'Sign in' }).waitFor();
    assert.ok(!(await form.stored()).includes(TOKEN));
  });
}

const expired = { 'check-token': problem(410, 'token_expired'), 'request-new-link': { json: { status: 'accepted' } } };
story('an expired link asks for a new one', ACTIVATE, expired, async (form) => {
  await form.title('This link has expired');
  assert.deepEqual(form.sent('request-new-link'), []);
  await form.button('Send me a new link').click();
  await form.title('A new link is on its way');
  assert.deepEqual(form.sent('request-new-link'), [{ token: TOKEN }]);
});

story('a page without a link says so', RESET, {}, async (form) => {
  await form.password.waitFor();
  await form.page.evaluate(() => sessionStorage.clear());
  await form.page.reload();
  await form.title('The link is missing');
});

story('without a connection, the check can be repeated', RESET, { 'check-token': undefined }, async (form) => {
  await form.title('The link could not be checked');
  form.answer('check-token', checkedLink('reset'));
  await form.button('Try again').click();
  await form.password.waitFor();
});

story('an answer that was lost after the commit is explained', RESET, { 'reset-password': undefined }, async (form) => {
  await form.password.fill(PASSWORD);
  await form.button('Set the password').click();
  await form.text('The server cannot be reached.');
  form.answer('reset-password', problem(410, 'token_used'));
  await form.button('Set the password').click();
  await form.title('This link was already used');
  await form.text('but the password has arrived');
});

const isWeak = { json: { score: 1, codes: ['password_weak'] } };
story('the meter says how strong the password is', RESET, { 'check-password': isWeak }, async (form) => {
  await form.password.fill('password1');
  await form.text('This password is easy to guess.');
  assert.deepEqual(form.sent('check-password'), [{ password: 'password1', token: TOKEN }]);
  form.answer('check-password', { json: { score: 4, codes: [] } });
  await form.password.fill(PASSWORD);
  await form.text('This is a strong password.');
});

const isLimited = problem(429, 'too_many_requests', { retry_after: 30 });
story('the form works when the meter does not', RESET, { 'check-password': isLimited, 'reset-password': isSet }, async (form) => {
  const checked = form.page.waitForResponse('**/check-password');
  await form.password.fill(PASSWORD);
  await checked;
  await form.button('Set the password').click();
  await form.text('Your password is set.');
});

const weak = problem(422, 'validation_failed', { errors: [{ pointer: '/password', code: 'password_weak', detail: 'weak' }] });
story('a refused password is explained beside the field, which has the focus', RESET, { 'reset-password': weak }, async (form) => {
  await form.password.fill('password1');
  await form.button('Set the password').click();
  await form.text('Use several words that do not belong together.');
  await form.page.waitForFunction(() => document.activeElement?.getAttribute('aria-invalid') === 'true');
});

const other = { json: { user: { id: 'u2', email: 'bob@example.com', name: 'Bob', locale: null }, client: null, clients: [], session: {} } };
story('it says when another user is signed in', ACTIVATE, { session: other }, async (form) => {
  await form.text('You are signed in as bob@example.com');
});

story('the same user is no other user', ACTIVATE, { session: { json: { ...other.json, user: session.json.user } } }, async (form) => {
  await form.password.waitFor();
  assert.equal(await form.page.getByText('You are signed in as').count(), 0);
});
