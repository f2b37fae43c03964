// The texts of the pages. A page names the bundles that it needs, and the router loads them together with the page.
// Each other language `satisfies` the type of the English texts, so a missing text does not compile.
import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { LOCALES, localeOf, type Locale } from './locales.ts';
import type common from '../i18n/common/en.ts';
import type signedIn from '../i18n/signedIn/en.ts';
import type entry from '../i18n/entry/en.ts';
import type problems from '../i18n/problems/en.ts';
import type links from '../i18n/links/en.ts';
import type password from '../i18n/password/en.ts';
import type portal from '../i18n/portal/en.ts';
import type consoleTexts from '../i18n/console/en.ts';
import type outcomes from '../i18n/outcomes/en.ts';
import type access from '../i18n/access/en.ts';
import type settings from '../i18n/settings/en.ts';
import type secondStep from '../i18n/secondStep/en.ts';
import type policy from '../i18n/policy/en.ts';
import type factors from '../i18n/factors/en.ts';

export { LOCALES, localeOf, type Locale };

/** The texts of each bundle. */
export interface Bundles {
  common: typeof common;
  signedIn: typeof signedIn;
  problems: typeof problems;
  entry: typeof entry;
  links: typeof links;
  password: typeof password;
  portal: typeof portal;
  console: typeof consoleTexts;
  outcomes: typeof outcomes;
  access: typeof access;
  settings: typeof settings;
  factors: typeof factors;
  policy: typeof policy;
  secondStep: typeof secondStep;
}
export type BundleName = keyof Bundles;

/** The files of the texts, as `import.meta.glob('../i18n/…/*.ts')` returns them. */
export type TextFiles = Record<string, () => Promise<unknown>>;
let files: TextFiles = {};
const loaded = new Map<string, unknown>();

/** Names the files of the bundles that the app uses. Called once, at the start. */
export function setTextFiles(all: TextFiles): void {
  files = all;
}

/** Loads bundles in a language. Bundles that are loaded already are not loaded again. */
export async function loadTexts(locale: Locale, names: readonly BundleName[]): Promise<void> {
  await Promise.all(
    names.map(async (name) => {
      const key = `../i18n/${name}/${locale}.ts`;
      if (loaded.has(key)) return;
      const file = (await files[key]?.()) as { default: unknown } | undefined;
      if (file) loaded.set(key, file.default);
    }),
  );
}

/** Loads all bundles that are in use in another language. */
export async function reloadTexts(locale: Locale): Promise<void> {
  const names = new Set([...loaded.keys()].map((key) => key.split('/')[2] as BundleName));
  await loadTexts(locale, [...names]);
}

/** The language of the page. */
export const LocaleContext = createContext<Locale>('en');

/** The BCP 47 tag that the person has chosen, which may have a region, such as `de-CH`. */
export const TagContext = createContext<string | undefined>(undefined);

export const useLocale = (): Locale => useContext(LocaleContext);

/**
 * Returns the texts of a bundle in the language of the page.
 *
 * @throws If the page does not name the bundle.
 */
export function useTexts<Name extends BundleName>(name: Name): Bundles[Name] {
  return textsOf(useLocale(), name);
}

/** Returns the texts of a bundle that is loaded. */
function textsOf<Name extends BundleName>(locale: Locale, name: Name): Bundles[Name] {
  const texts = loadedTexts(locale, name);
  if (!texts) throw new Error(`the texts "${name}" are not loaded in ${locale}`);
  return texts;
}

/** Returns the texts of a bundle, or `undefined` if they are not loaded. */
export function loadedTexts<Name extends BundleName>(locale: Locale, name: Name): Bundles[Name] | undefined {
  return loaded.get(`../i18n/${name}/${locale}.ts`) as Bundles[Name] | undefined;
}

/** Loads a bundle that the page may not name, and returns its texts as soon as they are there. */
export function useLateTexts<Name extends BundleName>(name: Name): Bundles[Name] | 'loading' | 'failed' {
  const locale = useLocale();
  const [state, setState] = useState<'loading' | 'loaded' | 'failed'>('loading');
  useEffect(() => {
    loadTexts(locale, [name]).then(
      () => setState('loaded'),
      () => setState('failed'),
    );
  }, [locale]);
  return loadedTexts(locale, name) ?? (state === 'failed' ? 'failed' : 'loading');
}
