// The texts of the pages, from their sources.
import { readdirSync } from 'node:fs';
import { parse } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const I18N = fileURLToPath(new URL('../../i18n/', import.meta.url));

/** The names of all bundles. */
export const BUNDLES = readdirSync(I18N, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);

/** The languages, English first. */
export const LOCALES = ['en', ...readdirSync(`${I18N}common`).map((file) => parse(file).name).filter((name) => name !== 'en')];

/** Returns the texts of a bundle: each path, such as `signIn.title`, with its text or function. */
export async function textsOf(bundle, locale) {
  const { module } = await runnerImport(`${I18N}${bundle}/${locale}.ts`, { configFile: false, logLevel: 'error' });
  return new Map(flatten(module.default));
}

const flatten = (texts, path = []) =>
  Object.entries(texts).flatMap(([name, value]) =>
    value !== null && typeof value === 'object' ? flatten(value, [...path, name]) : [[[...path, name].join('.'), value]],
  );
