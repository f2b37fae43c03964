import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { breakingChanges, undocumented } from './breaking.mjs';

const JSON_TYPE = 'application/json; charset=utf-8';
const body = (schema) => ({ content: { [JSON_TYPE]: { schema } } });

/** Returns a document with one operation, `sign_in`. The argument sets parts of the operation and of the document. */
function document({ request, response, operation = {}, item = {}, schemas = {}, ...root } = {}) {
  const post = {
    operationId: 'sign_in',
    ...(request && { requestBody: { required: true, ...body(request) } }),
    responses: { 200: { description: 'OK', ...(response && body(response)) } },
    ...operation,
  };
  return { openapi: '3.0.0', paths: { '/sign-in': { post, ...item } }, components: { schemas }, ...root };
}

const changes = (before, after) => breakingChanges(before, after).map(({ name, where, what }) => `${name} ${where}: ${what}`);
const object = (properties, required = []) => ({ type: 'object', properties, required });
const text = { type: 'string' };
const ref = (name) => ({ $ref: `#/components/schemas/${name}` });

/**
 * Each row: the test name, two schemas, and the number of breaking changes from first to second and back, for a request
 * and for a response.
 */
const SCHEMAS = [
  ['a removed field', object({ a: text, b: text }), object({ a: text }), { request: [1, 0], response: [1, 0] }],
  ['another type', text, { type: 'integer' }, { request: [1, 1], response: [1, 1] }],
  ['integer and number', { type: 'integer' }, { type: 'number' }, { request: [0, 1], response: [1, 0] }],
  ['an added format', text, { type: 'string', format: 'uuid' }, { request: [1, 0], response: [0, 1] }],
  ['a nullable value', text, { type: 'string', nullable: true }, { request: [0, 1], response: [1, 0] }],
  ['a nullable value in OpenAPI 3.1', text, { type: ['string', 'null'] }, { request: [0, 1], response: [1, 0] }],
  ['a field that becomes optional', object({ a: text }, ['a']), object({ a: text }), { request: [0, 1], response: [1, 0] }],
  ['a new required field', object({}), object({ a: text }, ['a']), { request: [1, 1], response: [0, 1] }],
  ['an added enum value', { type: 'string', enum: ['a'] }, { type: 'string', enum: ['a', 'b'] }, { request: [0, 1], response: [1, 0] }],
  ['a removed enum', { type: 'string', enum: ['a'] }, text, { request: [0, 1], response: [1, 0] }],
  ['a lower maximum length', { type: 'string', maxLength: 9 }, { type: 'string', maxLength: 8 }, { request: [1, 0], response: [0, 0] }],
  ['a higher minimum', { type: 'integer', minimum: 0 }, { type: 'integer', minimum: 1 }, { request: [1, 0], response: [0, 0] }],
  ['an exclusive maximum', { maximum: 1 }, { maximum: 1, exclusiveMaximum: true }, { request: [1, 0], response: [0, 0] }],
  ['an added pattern', text, { type: 'string', pattern: '^a' }, { request: [1, 0], response: [0, 0] }],
  ['unique items', { type: 'array', items: text }, { type: 'array', items: text, uniqueItems: true }, { request: [1, 0], response: [0, 0] }],
  ['unknown fields that are no longer accepted', object({}), { ...object({}), additionalProperties: false }, { request: [1, 0], response: [0, 0] }],
  ['another type of map values', { additionalProperties: text }, { additionalProperties: { type: 'integer' } }, { request: [1, 1], response: [1, 1] }],
  ['another type of array items', { type: 'array', items: text }, { type: 'array', items: { type: 'integer' } }, { request: [1, 1], response: [1, 1] }],
  ['an added alternative', { oneOf: [object({ a: text })] }, { oneOf: [object({ a: text }), text] }, { request: [0, 1], response: [1, 0] }],
  ['alternatives where there were none', { type: 'string' }, { type: 'string', anyOf: [text] }, { request: [1, 1], response: [1, 1] }],
  ['a removed field of an allOf part', { allOf: [object({ a: text }), object({ b: text })] }, object({ a: text }), { request: [1, 0], response: [1, 0] }],
  ['another description', text, { type: 'string', description: 'new', example: 'x' }, { request: [0, 0], response: [0, 0] }],
  ['an allOf around a reference', { $ref: '#/components/schemas/A' }, { allOf: [{ $ref: '#/components/schemas/A' }] }, { request: [0, 0], response: [0, 0] }],
];

describe('schemas', () => {
  for (const [what, one, other, expected] of SCHEMAS) {
    for (const direction of ['request', 'response']) {
      test(`${what} in a ${direction}`, () => {
        const of = (schema) => document({ [direction]: schema, schemas: { A: object({ a: text }) } });
        const found = [changes(of(one), of(other)), changes(of(other), of(one))];
        assert.deepEqual(found.map(({ length }) => length), expected[direction], JSON.stringify(found));
        assert.deepEqual(changes(of(one), of(one)), []);
      });
    }
  }
});

const parameter = (more) => ({ operation: { parameters: [{ name: 'q', in: 'query', schema: text, ...more }] } });
const secured = (...security) => document({ operation: { security } });
/** Each row: the test name, two documents, and the number of breaking changes from first to second and back. */
const DOCUMENTS = [
  ['a removed operation', document({ item: { get: { operationId: 'read' } } }), document(), [1, 0]],
  ['a removed path', { ...document() }, { ...document(), paths: {} }, [1, 0]],
  ['a renamed operation id', document(), document({ operation: { operationId: 'log_in' } }), [1, 1]],
  ['a removed status', document({ operation: { responses: { 200: {}, 409: {} } } }), document(), [1, 0]],
  ['another media type', document({ response: text }), document({ operation: { responses: { 200: { content: { 'text/plain': {} } } } } }), [1, 1]],
  ['a media type without the charset parameter', document({ response: text }), document({ operation: { responses: { 200: { content: { 'application/json': { schema: text } } } } } }), [0, 0]],
  ['an added optional parameter', document(), document(parameter({})), [0, 1]],
  ['an added required parameter', document(), document(parameter({ required: true })), [1, 1]],
  ['a parameter that becomes required', document(parameter({})), document(parameter({ required: true })), [1, 0]],
  ['another type of a parameter', document(parameter({})), document(parameter({ schema: { type: 'integer' } })), [1, 1]],
  ['a parameter that moves from the path item to the operation', document({ item: { parameters: parameter({}).operation.parameters } }), document(parameter({})), [0, 0]],
  ['an added optional body', document(), document({ operation: { requestBody: body(text) } }), [0, 1]],
  ['a body that becomes required', document({ operation: { requestBody: body(text) } }), document({ request: text }), [1, 0]],
  ['a credential where none was required', document(), secured({ cookie: [] }), [1, 0]],
  ['an added alternative credential', secured({ cookie: [] }), secured({ cookie: [] }, { bearer: [] }), [0, 1]],
  ['an added second credential', secured({ cookie: [] }), secured({ cookie: [], bearer: [] }), [1, 0]],
  ['an added default credential of the document', document(), { ...document(), security: [{ cookie: [] }] }, [1, 0]],
];

describe('operations', () => {
  for (const [what, one, other, expected] of DOCUMENTS) {
    test(what, () => {
      const found = [changes(one, other), changes(other, one)];
      assert.deepEqual(found.map(({ length }) => length), expected, JSON.stringify(found));
    });
  }

  test('a renamed path parameter is not a breaking change', () => {
    const of = (name) => ({
      paths: { [`/a/{${name}}`]: { get: { operationId: 'read', parameters: [{ name, in: 'path', required: true, schema: text }] } } },
    });
    assert.deepEqual(changes(of('id'), of('user_id')), []);
  });
});

describe('named schemas', () => {
  test('a change in a named schema is reported once per direction', () => {
    const of = (user) => document({ request: ref('User'), response: object({ me: ref('User'), all: { type: 'array', items: ref('User') } }), schemas: { User: user } });
    assert.deepEqual(changes(of(object({ name: text })), of(object({ name: { type: 'integer' } }))), [
      'User User.name: type changed from string to integer (request)',
      'User User.name: type changed from string to integer (response)',
    ]);
  });

  test('a reference that became nullable is reported at the reference', () => {
    const of = (more) =>
      document({ response: ref('Session'), schemas: { User: object({}), Session: object({ by: ref('User'), user: { allOf: [ref('User')], ...more } }) } });
    assert.deepEqual(changes(of({}), of({ nullable: true })), ['Session Session.user: became nullable (response)']);
  });

  test('a schema that contains itself is compared once', () => {
    const of = (more) => document({ response: ref('Node'), schemas: { Node: object({ next: ref('Node'), ...more }) } });
    assert.deepEqual(changes(of({ a: text }), of({})), ['Node Node.a: field removed (response)']);
  });

  test('a change to another named schema is reported for the operation', () => {
    const of = (name) => document({ response: ref(name), schemas: { A: object({ a: text }), B: object({}) } });
    assert.deepEqual(changes(of('A'), of('B')), ['sign_in 200.a: field removed (response)']);
  });
});

describe('the changelog', () => {
  const change = [{ name: 'sign_in', where: '', what: '' }];
  const log = (unreleased) => `# Changelog\n\n## [Unreleased]\n${unreleased}\n## [1.0.0]\n### Breaking\n- \`sign_in\`\n`;

  test('documents a change only under Unreleased, Breaking', () => {
    assert.deepEqual(undocumented(change, log('### Breaking\n- `sign_in` requires more.\n### Added\n')), []);
    assert.deepEqual(undocumented(change, log('### Added\n- `sign_in`\n')), change);
    assert.deepEqual(undocumented(change, log('### Breaking\n- `sign_in_again`\n### Added\n- `sign_in`\n')), change);
    assert.deepEqual(undocumented(change, ''), change);
  });

  test('documents the changes of a schema that another one has replaced', () => {
    const replaced = [{ name: 'sign_in', where: '', what: '', replaced: 'Problem' }];
    assert.deepEqual(undocumented(replaced, log('### Breaking\n- `Problem` is split.\n')), []);
    assert.deepEqual(undocumented(replaced, log('### Breaking\n- `ProblemList` is split.\n')), replaced);
    const of = (name) => document({ response: ref(name), schemas: { A: object({ a: text }), B: object({}) } });
    assert.deepEqual(breakingChanges(of('A'), of('B')).map((each) => each.replaced), ['A']);
  });

  test('decides the exit status of the command', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'breaking-'));
    const file = async (name, content) => (await writeFile(join(folder, name), content), join(folder, name));
    const run = (...files) =>
      new Promise((resolve) => {
        const script = new URL('breaking.mjs', import.meta.url).pathname;
        execFile(process.execPath, [script, ...files], (error, stdout) => resolve([error?.code ?? 0, stdout]));
      });
    const released = await file('released.json', JSON.stringify(document()));
    const current = await file('openapi.json', JSON.stringify(secured({ cookie: [] })));
    const [bad, complaint] = await run(released, current, join(folder, 'none.md'));
    assert.equal(bad, 1);
    assert.match(complaint, /^UNDOCUMENTED  sign_in /);
    const [good, summary] = await run(released, current, await file('CHANGELOG.md', log('### Breaking\n- `sign_in`\n')));
    assert.equal(good, 0);
    assert.match(summary, /^documented  sign_in .*\n1 breaking changes since the release, 0 of them/);
    await rm(folder, { recursive: true });
  });
});
