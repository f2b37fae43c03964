// Tests CORS, the protection against cross-site requests, the cookies and the shared refresh in Chromium.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { eventually, startServer } from '../../openapi/clients/typescript/test/server.mjs';
import { startFrontEnd } from './front-end.mjs';
import { createPortalUser } from './portal-user.mjs';

const EMAIL = 'wanda.walker@guest.test';
const PASSWORD = 'quartz-lantern-41';
const NAME = 'Wanda Walker';
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP evil.test 127.0.0.1',
];

let api; // The origin of Portico, as the pages name it.
let server;
let frontEnd;
let browser; // One user's browser. Its tabs share the cookies.
let profile; // The folder of the browser's profile.

before(async () => {
  server = await startServer({ PORTICO_ACCESS_TTL: '4s' });
  api = server.baseUrl.replace('127.0.0.1', 'localhost');
  frontEnd = await startFrontEnd(api);
  await createPortalUser(server.baseUrl, { email: EMAIL, name: NAME, password: PASSWORD });
  profile = await mkdtemp(join(tmpdir(), 'portico-browser-'));
  const executablePath = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium-headless-shell';
  browser = await chromium.launchPersistentContext(profile, { executablePath, args: ARGUMENTS });
});
after(async () => {
  await browser?.close();
  frontEnd?.stop();
  await server?.stop();
  if (profile) await rm(profile, { recursive: true });
});

/** Opens a tab of the front end. */
async function openTab() {
  const tab = await browser.newPage();
  await tab.goto(`http://localhost:${frontEnd.port}/`);
  await tab.waitForFunction('window.portico');
  return tab;
}

/** Calls an operation in a tab. Returns the status, the data and the code of the error. */
const call = (tab, operation, options) =>
  tab.evaluate(
    async ([operation, options]) => {
      const { data, error, response } = await window.portico[operation](options);
      return { status: response?.status, data, code: error?.code };
    },
    [operation, options],
  );

const signIn = (tab) => call(tab, 'signIn', { body: { email: EMAIL, password: PASSWORD } });

/** Returns the names of the cookies for Portico. */
const cookieNames = async () => (await browser.cookies(api)).map(({ name }) => name).sort();

/** Returns the statuses of the requests for an operation that Portico has logged. */
const logged = (operation) =>
  [...server.log().matchAll(/request answered .*/g)]
    .filter(([line]) => line.includes(`operation="${operation}"`))
    .map(([line]) => Number(/ status=(\d+)/.exec(line)[1]));

describe('a page on another port', () => {
  test('signs in and reads the session with cookies that its scripts cannot read', async () => {
    const tab = await openTab();
    const { status, data } = await signIn(tab);
    assert.deepEqual([status, data?.user.email], [200, EMAIL]);
    assert.equal((await call(tab, 'getSession')).data?.user.name, NAME);

    assert.equal(await tab.evaluate('document.cookie'), '');
    const cookies = await browser.cookies(api);
    assert.ok(cookies.length >= 2 && cookies.every(({ httpOnly }) => httpOnly), JSON.stringify(cookies));
    await tab.close();
  });

  test('refreshes once for all calls of two tabs, after the access token has expired', async () => {
    const tabs = [await openTab(), await openTab()];
    await signIn(tabs[0]);
    await eventually('the access token expires', async () => !(await cookieNames()).includes('portico_portal'));

    const [profiles, refreshes] = [logged('get_profile').length, logged('refresh_session').length];
    const results = await Promise.all([...tabs, ...tabs, ...tabs].map((tab) => call(tab, 'getProfile')));
    assert.deepEqual(new Set(results.map(({ status }) => status)), new Set([200]));
    await eventually('the log names all requests', () => logged('get_profile').length === profiles + 12);
    assert.deepEqual(
      logged('get_profile').slice(profiles).sort(),
      [200, 200, 200, 200, 200, 200, 401, 401, 401, 401, 401, 401],
    );
    assert.deepEqual(logged('refresh_session').slice(refreshes), [200]);
    for (const tab of tabs) await tab.close();
  });

  test('repeats a request with its body after a refresh', async () => {
    const tab = await openTab();
    await signIn(tab);
    await browser.clearCookies({ name: 'portico_portal' });
    const { status, data } = await call(tab, 'updateProfile', { body: { locale: 'de' } });
    assert.deepEqual([status, data?.locale], [200, 'de']);
    await tab.close();
  });

  test('signs out in one tab, and the other tab is told', async () => {
    const [tab, other] = [await openTab(), await openTab()];
    await signIn(tab);
    await call(other, 'getSession');
    assert.equal((await call(tab, 'signOut')).status, 204);
    for (const each of [tab, other]) await each.waitForFunction('window.signedOut === 1', undefined, { timeout: 5000 });

    const { status, code } = await call(other, 'getSession');
    assert.deepEqual([status, code], [401, 'unauthenticated']);
    assert.deepEqual(
      (await cookieNames()).filter((name) => name !== 'portico_device'),
      [],
    );
    assert.equal(await other.evaluate('window.signedOut'), 1);
    for (const each of [tab, other]) await each.close();
  });
});

describe('a page of a foreign origin', () => {
  let victim; // A tab of the front end with a session.
  let evil; // A tab of the foreign page in the same browser.
  before(async () => {
    victim = await openTab();
    await signIn(victim);
    evil = await browser.newPage();
    await evil.goto(`http://evil.test:${frontEnd.port}/empty`);
  });

  /** Sends a request from the foreign page. Returns what the page learns: the body, or the name of the error. */
  const send = (path, init) =>
    evil.evaluate(
      ([url, init]) =>
        fetch(url, { credentials: 'include', ...init }).then(
          (response) => response.text(),
          ({ name }) => name,
        ),
      [`${api}/api/portal/${path}`, init],
    );
  const json = { 'content-type': 'application/json' };
  const isSignedIn = async () => (await call(victim, 'getSession')).data?.user.email === EMAIL;

  test('cannot read', async () => {
    const requests = logged('get_session').length;
    assert.equal(await send('auth/session'), 'TypeError');
    assert.equal(await send('auth/session', { mode: 'no-cors' }), '');
    await eventually('Portico answers both requests', () => logged('get_session').length === requests + 2);
    assert.equal(await send('auth/check-token', { method: 'POST', headers: json, body: '{"token":"x"}' }), 'TypeError');
  });

  test('cannot change anything with a request that needs permission', async () => {
    const before = logged('update_profile').length;
    assert.equal(await send('profile', { method: 'PATCH', headers: json, body: '{"locale":"fr"}' }), 'TypeError');
    assert.equal(await send('sessions', { method: 'DELETE' }), 'TypeError');
    const { data } = await call(victim, 'getProfile');
    assert.notEqual(data?.locale, 'fr');
    assert.deepEqual(logged('update_profile').slice(before), []);
  });

  test('cannot change anything with a simple request', async () => {
    const refused = logged('sign_out_everywhere').length;
    assert.equal(await send('auth/sign-out-everywhere', { method: 'POST' }), 'TypeError');
    assert.equal(await send('auth/sign-out-everywhere', { method: 'POST', mode: 'no-cors', body: 'x' }), '');
    await eventually('the log names both requests', () => logged('sign_out_everywhere').length === refused + 2);
    assert.deepEqual(logged('sign_out_everywhere').slice(refused), [403, 403]);
    assert.ok(await isSignedIn());
  });

  test('cannot change anything with a form', async () => {
    const mails = async () => (await fetch(`${server.baseUrl}/dev/mail.json?to=${EMAIL}`)).json();
    const before = (await mails()).length;
    for (const [path, body] of [
      ['auth/sign-out', ''],
      ['auth/forgot-password', `{"email":"${EMAIL}","x":"=`],
    ]) {
      const [response] = await Promise.all([
        evil.waitForNavigation(),
        evil.evaluate(
          ([action, name]) => {
            const form = Object.assign(document.createElement('form'), {
              action,
              method: 'post',
              enctype: 'text/plain',
            });
            form.append(Object.assign(document.createElement('input'), { name, value: '"}' }));
            document.body.append(form);
            form.submit();
          },
          [`${api}/api/portal/${path}`, body],
        ),
      ]);
      assert.equal(response.status(), 403);
      assert.equal((await response.json()).code, 'csrf_rejected');
      await evil.goBack();
    }
    assert.ok(await isSignedIn());
    assert.equal((await mails()).length, before);
  });
});
