import { setLocale } from '../app/locale-provider.tsx';
import { LOCALES, useLocale, useTexts } from '../app/texts.ts';

/** A list of the languages of the pages. */
export function LanguageMenu() {
  const texts = useTexts('common');
  const locale = useLocale();
  return (
    <label class="p-language">
      <span class="p-hidden">{texts.language}</span>
      <select value={locale} onChange={(event) => void setLocale(event.currentTarget.value)}>
        {LOCALES.map((each) => (
          <option key={each} value={each} lang={each}>
            {texts.languages[each]}
          </option>
        ))}
      </select>
    </label>
  );
}
