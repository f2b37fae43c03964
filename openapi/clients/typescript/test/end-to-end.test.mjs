// Tests the built package against a running server. A staff user invites a portal user. The portal user activates the
// account, signs in, changes the password and signs out.
import assert from 'node:assert/strict';
import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import * as portico from '@portico/client';
import { mailed, startServer } from './server.mjs';

const STAFF = 'owner@demo.test';
const GUEST = 'wanda.walker@guest.test';
const [first, second, third] = Array.from({ length: 3 }, () => randomBytes(12).toString('base64url'));

let server;
let staff; // The staff user's HTTP client. It sends a bearer token, as a script does.
let staffToken;
let guest; // The portal user's HTTP client. It keeps cookies, as a browser does.
let createdClient;
let session;

before(async () => {
  server = await startServer();
  const { baseUrl } = server;
  staff = portico.createHttpClient({ baseUrl, auth: () => staffToken });
  guest = portico.createHttpClient({ baseUrl, fetch: withCookies() });
});
after(() => server?.stop());

/** Returns a `fetch` that keeps cookies. The `fetch` of Node does not. */
function withCookies() {
  const jar = new Map();
  return async (request) => {
    request.headers.set('cookie', [...jar].map((pair) => pair.join('=')).join('; '));
    const response = await fetch(request);
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (/;\s*max-age=0/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  };
}

/** Asserts that a call succeeds with this status, and returns its data. */
async function done(status, call) {
  const { data, error, response } = await call;
  assert.equal(response?.status, status, JSON.stringify(error));
  return data;
}

/** Asserts that a call fails with this status and code, and returns the problem. */
async function refused(status, code, call) {
  const { data, error, response } = await call;
  assert.equal(data, undefined, JSON.stringify(data));
  assert.equal(response?.headers.get('content-type'), 'application/problem+json; charset=utf-8');
  const { title, detail, request_id, ...rest } = error;
  assert.deepEqual(rest, { status, code, type: `urn:portico:${code}` });
  assert.equal(response.status, status);
  assert.equal(response.headers.get('x-request-id'), request_id);
  assert.ok(title && detail);
  return error;
}

/** Returns the link token of the newest mail to the portal user that links to this page of the portal. */
const linkTo = (page) =>
  mailed(server.baseUrl, GUEST, ({ links }) => links.map((link) => link.split(`/portal/${page}#token=`)[1]).find(Boolean));

const signIn = (password) => portico.signIn({ client: guest, body: { email: GUEST, password } });
const getSession = (options) => portico.getSession({ client: guest, ...options });
const invite = (query) =>
  portico.invitePortalUser({ client: staff, path: { client_id: createdClient.id }, query, body: { email: GUEST, name: 'Wanda Walker', role: 'admin' } });

// Each step needs the previous ones. After a failure, the remaining steps are skipped.
let failed = false;
const step = (name, act) =>
  test(name, async (t) => {
    if (failed) return t.skip('an earlier step failed');
    failed = true;
    await act();
    failed = false;
  });

describe('a staff user', () => {
  step('signs in with a mailed code', async () => {
    const { flow } = await done(200, portico.sendCode({ client: staff, body: { email: STAFF } }));
    const code = await mailed(server.baseUrl, STAFF, (mail) => mail.code);
    const { access_token, user } = await done(200, portico.verifyCode({ client: staff, body: { flow, code } }));
    assert.equal(user.email, STAFF);
    assert.equal(user.role, 'owner');
    staffToken = access_token;
  });

  step('creates, reads and updates a client', async () => {
    const before = await done(200, portico.listClients({ client: staff }));
    assert.deepEqual(before.data.map(({ name }) => name), ['Acme Ltd']);
    assert.equal(before.next_cursor, null);

    createdClient = await done(201, portico.createClient({ client: staff, body: { name: 'Walker & Daughters' } }));
    assert.equal(createdClient.external_ref, null);
    const path = { client_id: createdClient.id };
    assert.deepEqual(await done(200, portico.getClient({ client: staff, path })), createdClient);

    const body = { external_ref: 'K-1' };
    createdClient = { ...createdClient, ...body };
    assert.deepEqual(await done(200, portico.updateClient({ client: staff, path, body })), createdClient);
  });

  step('lists the clients page by page', async () => {
    const page = await done(200, portico.listClients({ client: staff, query: { limit: 1 } }));
    assert.equal(page.data.length, 1);
    const rest = await done(200, portico.listClients({ client: staff, query: { limit: 1, cursor: page.next_cursor } }));
    assert.deepEqual(rest, { data: [createdClient], next_cursor: null });
  });

  step('invites a portal user', async () => {
    const { portal_user, invitation, invite_mode } = await done(201, invite());
    assert.equal(invite_mode, 'setup');
    assert.equal(portal_user.status, 'invited');
    assert.equal(invitation.status, 'pending');
  });
});

describe('the invited portal user', () => {
  step('activates the account with the mailed link', async () => {
    const token = await linkTo('activate');
    const link = await done(200, portico.checkToken({ client: guest, body: { token } }));
    assert.equal(link.purpose, 'activation');
    assert.equal(link.client_name, createdClient.name);
    assert.equal(link.email, GUEST);

    session = await done(200, portico.activateAccount({ client: guest, body: { token, password: first } }));
    assert.deepEqual(session.client, { id: createdClient.id, name: createdClient.name, role: 'admin', status: 'active' });
    await refused(410, 'token_used', portico.checkToken({ client: guest, body: { token } }));
  });

  step('has a session until sign-out', async () => {
    const current = await done(200, getSession());
    assert.deepEqual(current.user, session.user);
    assert.deepEqual(current.clients, [session.client]);
    await done(204, portico.signOut({ client: guest }));
    await refused(401, 'unauthenticated', getSession());
  });

  step('signs in with the correct password only', async () => {
    await refused(401, 'invalid_credentials', signIn(second));
    session = await done(200, signIn(first));
  });

  step('refreshes the session', async () => {
    const { user, client, access_token } = await done(200, portico.refreshSession({ client: guest }));
    assert.deepEqual([user, client], [session.user, session.client]);
    assert.notEqual(access_token, session.access_token);
    await done(200, getSession());
  });

  step('resets a forgotten password', async () => {
    assert.deepEqual(await done(200, portico.forgotPassword({ client: guest, body: { email: GUEST } })), { status: 'accepted' });
    const token = await linkTo('reset-password');
    const weak = await portico.resetPassword({ client: guest, body: { token, password: 'password1' } });
    assert.deepEqual(weak.error.errors.map(({ pointer, code }) => [pointer, code]), [['/password', 'password_weak']]);

    const reset = await done(200, portico.resetPassword({ client: guest, body: { token, password: second } }));
    assert.deepEqual(reset, { status: 'password_reset' });
    await refused(401, 'invalid_credentials', signIn(first));
    session = await done(200, signIn(second));
  });

  step('changes the password', async () => {
    const body = { current_password: second, new_password: third };
    await done(204, portico.changePassword({ client: guest, body }));
    await done(200, getSession());
    await refused(401, 'invalid_credentials', signIn(second));
    session = await done(200, signIn(third));
  });

  step('cannot be invited again', async () => {
    await refused(409, 'already_activated', invite({ action: 'resend' }));
  });

  step('has an access token that the published keys verify', async () => {
    const { keys } = await done(200, portico.getSigningKeys({ client: guest }));
    const [head, payload, signature] = session.access_token.split('.');
    const parse = (part) => JSON.parse(Buffer.from(part, 'base64url'));
    const { alg, kid } = parse(head);
    assert.equal(alg, 'EdDSA');
    const key = createPublicKey({ key: keys.find((each) => each.kid === kid), format: 'jwk' });
    assert.ok(verify(null, Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, 'base64url')));
    const { aud, sub, client_id } = parse(payload);
    assert.deepEqual({ aud, sub, client_id }, { aud: 'portico:portal', sub: session.user.id, client_id: createdClient.id });
  });

  step('signs out of every session', async () => {
    const elsewhere = portico.createHttpClient({ baseUrl: server.baseUrl, auth: session.access_token });
    await done(200, getSession({ client: elsewhere }));
    await done(204, portico.signOutEverywhere({ client: guest }));
    await refused(401, 'unauthenticated', getSession());
    await refused(401, 'session_revoked', getSession({ client: elsewhere }));
  });
});

describe('the staff user', () => {
  step('signs out', async () => {
    await done(200, portico.getStaffSession({ client: staff }));
    await done(204, portico.signOutStaff({ client: staff }));
    await refused(401, 'session_revoked', portico.getStaffSession({ client: staff }));
  });
});
