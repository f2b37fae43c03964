// Tests the errors of calls that get no response of Portico, with a `fetch` that this file writes.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { createHttpClient, getSession, isPorticoError, signIn, signOut } from '@portico/client';

const problem = {
  type: 'urn:portico:overloaded',
  title: 'Overloaded',
  status: 503,
  code: 'overloaded',
  detail: '-',
  request_id: '1',
};
const respond = (status, type, body) => async () =>
  new Response(body, { status, headers: type && { 'content-type': type } });
const fail = (error) => async () => {
  throw error;
};

/** Calls an operation and returns its error. Asserts that a call with `throwOnError` throws the same. */
async function errorOf(fetch, call = getSession, options = {}) {
  const client = createHttpClient({ baseUrl: 'https://portico.test', fetch });
  const { data, error } = await call({ client, ...options });
  assert.equal(data, undefined);
  const thrown = await call({ client, ...options, throwOnError: true }).then(
    () => assert.fail('did not throw'),
    (thrown) => thrown,
  );
  assert.equal(thrown.code, error.code);
  assert.equal(thrown.detail, error.detail);
  assert.ok(isPorticoError(error) && isPorticoError(thrown));
  return error;
}

/** Asserts that a call ends with a network error, and returns the error. */
async function networkError(detail, ...call) {
  const error = await errorOf(...call);
  assert.equal(error.code, 'network_error');
  assert.match(error.detail, detail);
  assert.ok(error instanceof Error);
  return error;
}

describe('a call ends with a network error', () => {
  test('if fetch throws', async () => {
    const cause = new TypeError('fetch failed');
    assert.equal((await networkError(/cannot be reached/, fail(cause))).cause, cause);
  });

  test('if it is aborted or times out', async () => {
    await networkError(/aborted/, fail(new DOMException('', 'AbortError')));
    await networkError(/in time/, fail(new DOMException('', 'TimeoutError')));
  });

  test('if a proxy responds with an error', async () => {
    const { cause } = await networkError(
      /not from Portico: status 502, text\/html\./,
      respond(502, 'text/html', '<h1>Bad gateway</h1>'),
    );
    assert.equal(cause, '<h1>Bad gateway</h1>');
    await networkError(/status 504, no content type\./, respond(504, undefined, null));
    await networkError(/status 429, application\/json\./, respond(429, 'application/json', '{"message":"slow down"}'));
  });

  test('if a proxy responds with a page of its own', async () => {
    await networkError(/status 200, text\/html\./, respond(200, 'text/html; charset=utf-8', '<form>'));
    await networkError(/status 200, text\/html\./, respond(200, 'text/html', ''), signOut);
  });

  test('if the response is no JSON', async () => {
    await networkError(/could not be read/, respond(200, 'application/json; charset=utf-8', '{"user":'));
  });

  test('if a real server hangs, hangs up or is away', async () => {
    const server = createServer((request, response) => {
      if (!request.url.endsWith('/session')) return;
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-length': 100 })
        .write('{', () => response.destroy());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const baseUrl = `http://127.0.0.1:${server.address().port}`;
    await networkError(/in time/, fetch, signOut, { baseUrl, signal: AbortSignal.timeout(200) });
    await networkError(/could not be read/, fetch, getSession, { baseUrl });
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    await networkError(/cannot be reached/, fetch, getSession, { baseUrl });
  });
});

test('a problem stays a problem', async () => {
  assert.deepEqual(
    await errorOf(respond(503, 'application/problem+json; charset=utf-8', JSON.stringify(problem))),
    problem,
  );
});

test('data and empty responses are no errors', async () => {
  const client = (fetch) => createHttpClient({ baseUrl: 'https://portico.test', fetch });
  const json = await getSession({ client: client(respond(200, 'application/json; charset=utf-8', '{"user":null}')) });
  assert.deepEqual([json.data, json.error], [{ user: null }, undefined]);
  const empty = await signOut({ client: client(respond(204, undefined, null)) });
  assert.deepEqual([empty.error, empty.response.status], [undefined, 204]);
});

test('a mistake of the program is thrown', async () => {
  const call = signIn({ client: createHttpClient({ baseUrl: 'nowhere' }), body: {} });
  await assert.rejects(call, (error) => error instanceof TypeError && !isPorticoError(error));
});
