// docs/theming.md says what kit/styles/tokens.css says.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');

/** Returns the light and the dark value of each property in the style sheet. */
function definedProperties() {
  const rules = [...read('../../kit/styles/tokens.css').matchAll(/^ {2}(--portico-[a-z-]+): (.+);$/gm)];
  return rules.map(([, name, value]) => {
    const [, light = value, dark = value] = value.match(/^light-dark\((.+), (.+)\)$/) ?? [];
    return { name, light, dark };
  });
}

/** Returns the light and the dark value of each property in the table of the page. */
function documentedProperties() {
  const rows = [...read('../../../docs/theming.md').matchAll(/^\| `(--portico-[a-z-]+)` \| `(.+?)` \| (.+?) \| (.+) \|$/gm)];
  return rows.map(([, name, light, dark, purpose]) => {
    assert.ok(purpose.length > 5, `${name} has no description`);
    return { name, light, dark: dark === 'as light' ? light : dark.replaceAll('`', '') };
  });
}

test('the page about theming lists the custom properties with their values', () => {
  assert.deepEqual(documentedProperties(), definedProperties());
});

test('there are 24 custom properties, and no style uses another one', () => {
  const names = new Set(definedProperties().map(({ name }) => name));
  assert.equal(names.size, 24);
  for (const file of ['base', 'button', 'form', 'content', 'entry-frame', 'links', 'lists', 'table', 'app-frame']) {
    const used = read(`../../kit/styles/${file}.css`).matchAll(/var\((--portico-[a-z-]+)/g);
    for (const [, name] of used) assert.ok(names.has(name), `${name} in ${file}.css`);
  }
});
