/** The languages of the pages. */
export const LOCALES = ['en', 'de', 'fr', 'es'] as const;
export type Locale = (typeof LOCALES)[number];

/** Returns the language for a BCP 47 tag, or for none: the one of the four with the same first part, else English. */
export function localeOf(tag: string | null | undefined): Locale {
  const language = tag?.split('-')[0]?.toLowerCase();
  return LOCALES.find((locale) => locale === language) ?? 'en';
}
