// docs/theming.md says what kit/styles/tokens.css says.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
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
  const sheets = ['kit/styles', 'elements'].flatMap((folder) =>
    readdirSync(new URL(`../../${folder}/`, import.meta.url)).filter((file) => file.endsWith('.css')).map((file) => `${folder}/${file}`),
  );
  assert.ok(sheets.length > 10, `only ${sheets.length} style sheets were found`);
  for (const sheet of sheets) {
    const used = read(`../../${sheet}`).matchAll(/var\((--portico-[a-z-]+)/g);
    for (const [, name] of used) assert.ok(names.has(name), `${name} in ${sheet}`);
  }
});
