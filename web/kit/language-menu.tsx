import { setLocale } from '../app/locale-provider.tsx';
import { LOCALES, localeOf, useLocale, useTexts, type Locale } from '../app/texts.ts';

/** A list of the languages of the pages. Without `onChoose`, the choice is remembered in this browser only. */
export function LanguageMenu({ onChoose = setLocale }: { onChoose?: (locale: Locale) => unknown }) {
  const texts = useTexts('common');
  const locale = useLocale();
  return (
    <label class="p-language">
      <span class="p-hidden">{texts.language}</span>
      <select value={locale} onChange={(event) => void onChoose(localeOf(event.currentTarget.value))}>
        {LOCALES.map((each) => (
          <option key={each} value={each} lang={each}>
            {texts.languages[each]}
          </option>
        ))}
      </select>
    </label>
  );
}
