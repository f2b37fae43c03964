// Tests the shared refresh with a server that this file writes. A tab is an HTTP client of its own.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import {
  changePassword,
  createHttpClient,
  getProfile,
  getStaffSession,
  refreshOnUnauthenticated,
  refreshSession,
  signOut,
} from '@portico/client';

let server;
beforeEach(() => {
  server = new Server();
  useLocks(new FakeLocks());
});

/** A server with one session. Its access token has expired. */
class Server {
  accessIsValid = false;
  requests = [];
  bodies = [];
  /** Maps the last part of a path to the responses of the next requests to it. */
  planned = { refresh: [], profile: [] };

  fetch = async (request) => {
    const path = new URL(request.url).pathname.split('/').at(-1);
    this.requests.push(path);
    this.bodies.push(await request.text());
    const accessWasValid = this.accessIsValid;
    await turn();
    const planned = this.planned[path]?.shift();
    if (planned) return planned();
    if (path === 'sign-out') return new Response(null, { status: 204 });
    if (path === 'refresh') this.accessIsValid = true;
    else if (!accessWasValid) return problem(401, 'unauthenticated');
    return Response.json({ path });
  };

  count = (path) => this.requests.filter((each) => each === path).length;
}

function problem(status, code) {
  return Response.json(
    { status, code, type: '-', title: '-', detail: '-', request_id: '-' },
    { status, headers: { 'retry-after': '3' } },
  );
}

/** Web Locks for tests: exclusive locks, in the order of the requests. */
class FakeLocks {
  #last = new Map();
  request(name, act) {
    const run = (this.#last.get(name) ?? Promise.resolve()).then(act);
    this.#last.set(
      name,
      run.catch(() => {}),
    );
    return run;
  }
}

const useLocks = (locks) => Object.defineProperty(globalThis, 'navigator', { value: { locks }, configurable: true });

/** Opens a tab. `tab.endings` counts the calls of its hook. */
function openTab({ realm = 'portal', ...config } = {}) {
  const client = createHttpClient({ baseUrl: 'https://portico.test', fetch: server.fetch, ...config });
  const tab = { client, endings: 0 };
  refreshOnUnauthenticated(client, { realm, onSignedOut: () => tab.endings++ });
  return tab;
}

const statuses = (results) => results.map(({ response }) => response?.status);
const times = (count, act) => Promise.all(Array.from({ length: count }, act));

describe('one refresh', () => {
  test('serves all calls of a tab', async () => {
    const { client } = openTab();
    assert.deepEqual(statuses(await times(5, () => getProfile({ client }))), [200, 200, 200, 200, 200]);
    assert.equal(server.count('refresh'), 1);
    assert.equal(server.count('profile'), 10);
  });

  test('serves all tabs', async () => {
    const tabs = [openTab(), openTab(), openTab()];
    const results = await times(9, (_, i) => getProfile({ client: tabs[i % 3].client }));
    assert.deepEqual(new Set(statuses(results)), new Set([200]));
    assert.equal(server.count('refresh'), 1);
  });

  test('serves a tab whose 401 arrives after it', async () => {
    const [first, late] = [openTab(), openTab()];
    server.planned.profile = [
      async () => {
        await getProfile(first);
        return problem(401, 'unauthenticated');
      },
    ];
    assert.deepEqual(statuses([await getProfile(late)]), [200]);
    assert.deepEqual(server.requests, ['profile', 'profile', 'session', 'refresh', 'profile', 'session', 'profile']);
  });

  for (const [what, locks] of [
    ['without Web Locks', undefined],
    ['where the browser denies Web Locks', { request: () => Promise.reject(new DOMException('denied', 'SecurityError')) }],
  ]) {
    test(`serves all calls of a tab ${what}`, async () => {
      useLocks(locks);
      const { client } = openTab();
      assert.deepEqual(statuses(await times(3, () => getProfile({ client }))), [200, 200, 200]);
      assert.equal(server.count('refresh'), 1);
    });
  }

  test('serves calls of the realm only', async () => {
    const { client } = openTab({ realm: 'staff' });
    assert.deepEqual(statuses([await getProfile({ client })]), [401]);
    assert.equal(server.count('refresh'), 0);
    assert.deepEqual(statuses([await getStaffSession({ client })]), [200]);
    assert.equal(server.count('refresh'), 1);
  });
});

test('the repeated request has the same body', async () => {
  const body = { current_password: 'grün-apfel-7', new_password: 'quartz-lantern-41' };
  const { response } = await changePassword({ ...openTab(), body });
  assert.equal(response.status, 200);
  assert.deepEqual(server.requests, ['change-password', 'session', 'refresh', 'change-password']);
  assert.equal(server.bodies[3], JSON.stringify(body));
  assert.equal(server.bodies[0], server.bodies[3]);
});

test('a request is repeated once only', async () => {
  server.planned.profile = [() => problem(401, 'unauthenticated'), () => problem(401, 'unauthenticated')];
  const { error } = await getProfile(openTab());
  assert.equal(error.code, 'unauthenticated');
  assert.deepEqual(server.requests, ['profile', 'session', 'refresh', 'profile']);
});

describe('a refused refresh', () => {
  test('resolves every call to its 401 and calls the hook once', async () => {
    server.planned.refresh = [() => problem(401, 'session_expired')];
    const tab = openTab();
    const results = await times(4, () => getProfile(tab));
    assert.deepEqual(new Set(results.map(({ error }) => error.code)), new Set(['unauthenticated']));
    assert.equal(server.count('refresh'), 1);
    assert.equal(tab.endings, 1);
  });

  test('calls the hook once until the next session', async () => {
    const tab = openTab();
    const end = async () => {
      server.accessIsValid = false;
      server.planned.refresh = [() => problem(401, 'unauthenticated')];
      await getProfile(tab);
    };
    await end();
    await end();
    assert.equal(tab.endings, 1);
    server.accessIsValid = true;
    await getProfile(tab);
    await end();
    assert.equal(tab.endings, 2);
    await getProfile(tab); // The refresh of this call succeeds.
    await end();
    assert.equal(tab.endings, 3);
  });

  test('resolves to another problem and keeps the session', async () => {
    server.planned.refresh = [() => problem(503, 'overloaded')];
    const tab = openTab();
    const results = await times(2, () => getProfile(tab));
    assert.deepEqual(
      results.map(({ error }) => error.code),
      ['overloaded', 'overloaded'],
    );
    assert.equal(results[0].response.headers.get('retry-after'), '3');
    assert.equal(tab.endings, 0);
  });

  for (const throwOnError of [false, true]) {
    test(`without a response resolves to a network error and keeps the session (throwOnError: ${throwOnError})`, async () => {
      const cause = new TypeError('fetch failed');
      server.planned.refresh = [() => Promise.reject(cause), () => new Response('<h1>', { status: 502 })];
      const tab = openTab({ throwOnError });
      const error = async () => (await getProfile(tab).catch((error) => ({ error }))).error;
      assert.deepEqual([(await error()).cause, (await error()).code], [cause, 'network_error']);
      assert.equal(tab.endings, 0);
      assert.equal(await error(), undefined);
    });
  }
});

describe('no refresh follows', () => {
  for (const code of ['invalid_credentials', 'invalid_code', 'session_revoked', 'session_expired']) {
    test(`a 401 ${code}`, async () => {
      server.planned.profile = [() => problem(401, code)];
      const tab = openTab();
      assert.equal((await getProfile(tab)).error.code, code);
      assert.deepEqual(server.requests, ['profile']);
      assert.equal(tab.endings, code.startsWith('session_') ? 1 : 0);
    });
  }

  test('a 401 of another server', async () => {
    server.planned.profile = [() => new Response('<h1>Sign in</h1>', { status: 401 })];
    const tab = openTab();
    assert.equal((await getProfile(tab)).error.code, 'network_error');
    assert.deepEqual([server.requests, tab.endings], [['profile'], 0]);
  });

  test('a request with a bearer token', async () => {
    assert.equal((await getProfile(openTab({ auth: 'token' }))).error.code, 'unauthenticated');
    assert.deepEqual(server.requests, ['profile']);
  });

  test('a refresh of the program', async () => {
    server.planned.refresh = [() => problem(401, 'unauthenticated')];
    const tab = openTab();
    assert.equal((await refreshSession(tab)).error.code, 'unauthenticated');
    assert.deepEqual([server.requests, tab.endings], [['refresh'], 1]);
  });
});

describe('the end of the session', () => {
  test('by a sign-out reaches every tab that had a session', async () => {
    server.accessIsValid = true;
    const [one, other, visitor] = [openTab(), openTab(), openTab()];
    await getProfile(one);
    await getProfile(other);
    await signOut(one);
    const deadline = Date.now() + 2000;
    while (other.endings === 0 && Date.now() < deadline) await turn();
    assert.deepEqual(
      [one, other, visitor].map(({ endings }) => endings),
      [1, 1, 0],
    );
  });

  test('is no news of a tab without one', async () => {
    server.accessIsValid = true;
    const [signedIn, visitor] = [openTab(), openTab()];
    await getProfile(signedIn);
    server.accessIsValid = false;
    server.planned.refresh = [() => problem(401, 'unauthenticated')];
    await getProfile(visitor);
    for (let i = 0; i < 50; i++) await turn();
    assert.deepEqual([signedIn.endings, visitor.endings], [0, 1]);
  });
});
