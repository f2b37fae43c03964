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
