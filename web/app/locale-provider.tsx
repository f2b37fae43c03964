// The language of the pages, and how to change it.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { setCookie } from './cookies.ts';
import { localeOf, type Locale } from './locales.ts';
import { LocaleContext, reloadTexts } from './texts.ts';

let changeLocale: ((locale: Locale) => Promise<void>) | undefined;

/** Shows the pages in the language of a BCP 47 tag, and remembers it in this browser. */
export async function setLocale(tag: string | null): Promise<void> {
  if (tag) await changeLocale?.(localeOf(tag));
}

/** Provides the language, which is `initial` until `setLocale` changes it. */
export function LocaleProvider({ initial, children }: { initial: Locale; children: ComponentChildren }) {
  const [locale, setState] = useState(initial);
  useEffect(() => {
    changeLocale = async (next) => {
      setCookie('portico_locale', next);
      await reloadTexts(next);
      document.documentElement.lang = next;
      setState(next);
    };
  }, []);
  return <LocaleContext.Provider value={locale}>{children}</LocaleContext.Provider>;
}
