// The texts of the pages in their four languages.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SAME_AS_ENGLISH } from './support/same-as-english.mjs';
import { BUNDLES, textsOf } from './support/texts.mjs';

const LOCALES = ['en', 'de', 'fr', 'es'];

/** Returns every value of the enums named `code` of the OpenAPI document. */
function documentedCodes(node = JSON.parse(readFileSync(new URL('../../openapi/openapi.json', import.meta.url)))) {
  if (node === null || typeof node !== 'object') return [];
  return Object.entries(node).flatMap(([name, value]) => [
    ...(name === 'code' && Array.isArray(value?.enum) ? value.enum : []),
    ...documentedCodes(value),
  ]);
}

test('every error code of the document has a sentence in each language', async () => {
  const codes = [...new Set(documentedCodes())];
  assert.ok(codes.length > 30, `only ${codes.length} codes were found`);
  for (const locale of LOCALES) {
    const texts = await textsOf('problems', locale);
    const missing = codes.filter((code) => !texts.get(`codes.${code}`) && !texts.get(`fields.${code}`));
    assert.deepEqual(missing, [], locale);
  }
});

for (const bundle of BUNDLES) {
  test(`the texts "${bundle}" are complete and translated`, async () => {
    const english = await textsOf(bundle, 'en');
    for (const locale of LOCALES.slice(1)) {
      const texts = await textsOf(bundle, locale);
      assert.deepEqual([...texts.keys()].sort(), [...english.keys()].sort(), locale);
      const isExpected = (path, text) => SAME_AS_ENGLISH[locale].some((same) => same === text || same === `${bundle}.${path}`);
      const untranslated = [...texts].filter(([path, text]) => isSame(text, english.get(path)) && !isExpected(path, text));
      assert.deepEqual(untranslated, [], `${locale}: translate these, or add them to support/same-as-english.mjs`);
    }
  });
}

/** Functions are compared by their source, which contains their sentences. */
const isSame = (text, english) => String(text) === String(english);

/** The spaces that French typography wants, and that `docs/translations.md` describes. */
const WRONG_SPACE = /(?<!\u00A0)[:;!?»](?=[\s\u00A0».]|$)|«(?!\u00A0)|[^\u00A0]%/;

test('French texts have a no-break space before high punctuation and inside quotation marks', async () => {
  const wrong = [];
  for (const bundle of BUNDLES) {
    for (const [path, text] of await textsOf(bundle, 'fr')) {
      wrong.push(...sentencesOf(text).filter((sentence) => WRONG_SPACE.test(sentence)).map((sentence) => `${bundle}.${path}: ${sentence}`));
    }
  }
  assert.deepEqual(wrong, []);
});

/** Returns the sentences of a text. Those of a function are the literals in its source, without the values in them. */
function sentencesOf(text) {
  if (typeof text !== 'function') return [String(text)];
  const literals = String(text).match(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`/g) ?? [];
  return literals.map((literal) => literal.slice(1, -1).replaceAll(/\$\{[^}]*\}/g, '#'));
}
