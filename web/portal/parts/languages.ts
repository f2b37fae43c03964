import { LOCALES, useLocale, useTexts } from '../../app/texts.ts';
import type { Choice } from '../../kit/select-field.tsx';

/**
 * Returns the languages that a user can choose: the four of the pages, and the present one if it names a region, such as
 * `de-CH`. `none` is the label for no choice, which is offered while there is none.
 */
export function useLanguageChoices(current: string | null, none: string): Choice[] {
  const { languages } = useTexts('common');
  const locale = useLocale();
  const choices: Choice[] = LOCALES.map((each) => ({ value: each, label: languages[each] }));
  if (!current) return [{ value: '', label: none }, ...choices];
  if (choices.some(({ value }) => value === current)) return choices;
  const names = new Intl.DisplayNames(locale, { type: 'language', languageDisplay: 'standard' });
  return [...choices, { value: current, label: names.of(current) ?? current }];
}
