// Finds a text of the pages in any language: the table of pages names it in English.
import { lengthen } from './pseudo.mjs';
import { BUNDLES, LOCALES, textsOf } from './texts.mjs';

const PLACEHOLDERS = ['\uE000', '\uE001', '\uE002'];

let loading;

/** Returns a pattern that matches a text and its translations. `text` is one of the English texts, with its values. */
export async function inAnyLanguage(text) {
  loading ??= loadTexts();
  const translations = (await loading).flatMap((one) => one(text));
  if (translations.length === 0) throw new Error(`no page has the text "${text}"`);
  const patterns = [...new Set([...translations, lengthen(text).trim()])].map((each) => escaped(each).replaceAll(/\s+/g, '\\s+'));
  return new RegExp(`^\\s*(${patterns.join('|')})\\s*$`);
}

/** Returns a function for each text: it returns the translations of an English text if that is its text. */
async function loadTexts() {
  const bundles = await Promise.all(BUNDLES.map((bundle) => Promise.all(LOCALES.map((locale) => textsOf(bundle, locale)))));
  return bundles.flatMap(([english, ...others]) =>
    [...english].map(([path, text]) => {
      const all = [text, ...others.map((texts) => texts.get(path))];
      return typeof text === 'function' ? withValues(all) : (wanted) => (wanted === text ? all : []);
    }),
  );
}

/** The same for texts that are functions of names or addresses. */
function withValues(functions) {
  const pattern = patternOf(functions[0]);
  return (wanted) => {
    const match = pattern?.exec(wanted);
    return match ? functions.map((text) => text(...PLACEHOLDERS.map((_, index) => match.groups[`value${index}`]))) : [];
  };
}

/** Returns the pattern of the sentences that a function makes, or `undefined` if it takes numbers. */
function patternOf(text) {
  try {
    const sentence = escaped(text(...PLACEHOLDERS));
    return new RegExp(`^${sentence.replaceAll(/[\uE000-\uE002]/g, (each) => `(?<value${PLACEHOLDERS.indexOf(each)}>.+)`)}$`);
  } catch {
    return undefined;
  }
}

const escaped = (text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
