// docs/security.md names stories and tests in a browser. `tests/stories/architecture` compares those in Rust.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const ROOT = new URL('../../../', import.meta.url);
const read = (path) => readFileSync(new URL(path, ROOT), 'utf8');

test('the table of attacks names stories and tests that exist', () => {
  const rows = read('docs/security.md').matchAll(/`(web\/test\/[\w/.-]+\.mjs)`: (.+?)(?=<br>| \|$)/gm);
  const named = [...rows].map(([, file, name]) => ({ file, name }));
  assert.ok(named.length > 10, `only ${named.length} names were found`);
  const isMissing = ({ file, name }) => !["'", '`'].some((quote) => read(file).includes(name + quote));
  assert.deepEqual(named.filter(isMissing), []);
});
