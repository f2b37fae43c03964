// The texts of the pages in their four languages, as the build contains them.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SAME_AS_ENGLISH } from './support/same-as-english.mjs';

const DIST = new URL('../dist/', import.meta.url);
const LOCALES = ['en', 'de', 'fr', 'es'];
const BUNDLES = new Map(
  ['portal', 'console'].flatMap((app) => readdirSync(new URL(`${app}/i18n`, DIST)).map((bundle) => [bundle, app])),
);

/** Returns the texts of a bundle: each path, such as `signIn.title`, with its text or function. */
async function textsOf(bundle, locale) {
  const { default: texts } = await import(new URL(`${BUNDLES.get(bundle)}/i18n/${bundle}/${locale}.js`, DIST));
  return new Map(flatten(texts));
}

const flatten = (texts, path = []) =>
  Object.entries(texts).flatMap(([name, value]) =>
    value !== null && typeof value === 'object' ? flatten(value, [...path, name]) : [[[...path, name].join('.'), value]],
  );

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

for (const bundle of BUNDLES.keys()) {
  test(`the texts "${bundle}" are complete and translated`, async () => {
    const english = await textsOf(bundle, 'en');
    for (const locale of LOCALES.slice(1)) {
      const texts = await textsOf(bundle, locale);
      assert.deepEqual([...texts.keys()].sort(), [...english.keys()].sort(), locale);
      const untranslated = [...texts].filter(([path, text]) => isSame(text, english.get(path)));
      const unexpected = untranslated.filter(([path]) => !SAME_AS_ENGLISH[locale].includes(`${bundle}.${path}`));
      assert.deepEqual(unexpected, [], `${locale}: translate these, or add them to support/same-as-english.mjs`);
    }
  });
}

test('the list of texts that are as in English names only such texts', async () => {
  for (const locale of LOCALES.slice(1)) {
    for (const name of SAME_AS_ENGLISH[locale]) {
      const [bundle, ...path] = name.split('.');
      const [text, english] = await Promise.all([locale, 'en'].map(async (each) => (await textsOf(bundle, each)).get(path.join('.'))));
      assert.ok(text !== undefined && isSame(text, english), `${locale}: ${name}`);
    }
  }
});

/** Functions are compared by their source, which contains their sentences. */
const isSame = (text, english) => String(text) === String(english);
