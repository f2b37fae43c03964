import { LOCALES, useLocale, useTexts } from '../app/texts.ts';
import type { Choice } from './select-field.tsx';

/** Returns the languages of the pages, and `current` too if it names a region, such as `de-CH`. */
export function useLanguageChoices(current: string | null = null): Choice[] {
  const { languages } = useTexts('common');
  const locale = useLocale();
  const choices: Choice[] = LOCALES.map((each) => ({ value: each, label: languages[each] }));
  if (!current || choices.some(({ value }) => value === current)) return choices;
  const names = new Intl.DisplayNames(locale, { type: 'language', languageDisplay: 'standard' });
  return [...choices, { value: current, label: names.of(current) ?? current }];
}
