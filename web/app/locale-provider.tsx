// The language of the pages, and how to change it.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { hasCookie, setCookie } from './cookies.ts';
import { knownLocale, localeOf, type Locale } from './locales.ts';
import { LocaleContext, reloadTexts, TagContext } from './texts.ts';

let changeTag: ((tag: string) => Promise<void>) | undefined;

/** Shows the pages in the language of a BCP 47 tag, and remembers it in this browser. */
export async function setLocale(tag: string | null): Promise<void> {
  if (!tag) return;
  setCookie('portico_locale', localeOf(tag));
  await changeTag?.(tag);
}

/**
 * Shows the pages in the default language of a tenant, unless the visitor or the browser asks for another one. So does
 * the server once it knows the tenant. The language is not remembered, because the visitor has not chosen it.
 */
export async function suggestLocale(tag: string | null): Promise<void> {
  if (tag && !hasCookie('portico_locale') && !navigator.languages.some(knownLocale)) await changeTag?.(tag);
}

/** Provides the language, which is `initial` until `setLocale` changes it. */
export function LocaleProvider({ initial, children }: { initial: Locale; children: ComponentChildren }) {
  const [tag, setTag] = useState<string>(initial);
  useEffect(() => {
    let newest: string;
    changeTag = async (nextTag) => {
      const next = localeOf(nextTag);
      newest = nextTag;
      await reloadTexts(next);
      // Another change began while the texts were loading.
      if (newest !== nextTag) return;
      document.documentElement.lang = next;
      setTag(nextTag);
    };
  }, []);
  return (
    <LocaleContext.Provider value={localeOf(tag)}>
      <TagContext.Provider value={tag}>{children}</TagContext.Provider>
    </LocaleContext.Provider>
  );
}
