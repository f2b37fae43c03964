/** The languages of the pages. */
export const LOCALES = ['en', 'de', 'fr', 'es'] as const;
export type Locale = (typeof LOCALES)[number];

/** Returns the language for a BCP 47 tag, or for none: the one of the four with the same first part, else English. */
export const localeOf = (tag: string | null | undefined): Locale => knownLocale(tag) ?? 'en';

/** Returns the language for a BCP 47 tag, or `undefined` if the pages do not speak it. */
export function knownLocale(tag: string | null | undefined): Locale | undefined {
  const language = tag?.split('-')[0]?.toLowerCase();
  return LOCALES.find((locale) => locale === language);
}
