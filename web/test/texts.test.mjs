// The texts of the pages in their four languages.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { SAME_AS_ENGLISH } from './support/same-as-english.mjs';
import { BUNDLES, LOCALES, textsOf } from './support/texts.mjs';

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

/** Returns the sources of a folder of the server, without tests and comments. */
function sourcesOf(folder) {
  const root = new URL(`../../${folder}/`, import.meta.url);
  const files = readdirSync(root, { recursive: true }).filter((file) => file.endsWith('.rs') && !file.includes('test'));
  const withoutTests = files.map((file) => readFileSync(new URL(file, root), 'utf8').split('#[cfg(test)]')[0]);
  return withoutTests.map((source) => source.replaceAll(/^\s*\/\/.*$/gm, ''));
}

test('every action and target of the audit log has a text in each language', async () => {
  const sources = sourcesOf('domain/src');
  const found = (pattern) => new Set(sources.flatMap((source) => Array.from(source.matchAll(pattern), ([, name]) => name)));
  // The name of an action, as an argument of a function or a value of a match, ends with a verb in the past tense, perhaps
  // with `_up`.
  const actions = found(/(?:[(,]|=>)\s*"([a-z_]+\.[a-z_]*(?:ed|set|sent)(?:_up)?)"/g);
  const targets = found(/\.target\("([a-z_]+)"/g);
  for (const locale of LOCALES) {
    const texts = await textsOf('settings', locale);
    const known = (path) => new Set([...texts.keys()].filter((key) => key.startsWith(path)).map((key) => key.slice(path.length)));
    assert.deepEqual([...known('audit.actions.')].sort(), [...actions].sort(), locale);
    assert.deepEqual([...known('audit.targets.')].sort(), [...targets].sort(), locale);
  }
});

test('every sentence about the outcome of a mail has a text in each language', async () => {
  const [source] = sourcesOf('domain/src/platform/mail').filter((text) => text.includes('fn tenant_detail('));
  // The words of a mail server follow the sentence after a colon, in the place of the full stop.
  const sentences = Array.from(source.matchAll(/"([A-Z][^"]*?)(?:\.|: \{words\})"/g), ([, sentence]) => `${sentence}.`);
  assert.ok(sentences.length > 20, `only ${sentences.length} sentences were found`);
  for (const locale of LOCALES) {
    const texts = await textsOf('outcomes', locale);
    assert.deepEqual([...texts.keys()].sort(), [...new Set(sentences)].sort(), locale);
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
