// The language of the pages, and how to change it.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { setCookie } from './cookies.ts';
import { localeOf, type Locale } from './locales.ts';
import { LocaleContext, reloadTexts, TagContext } from './texts.ts';

let changeTag: ((tag: string) => Promise<void>) | undefined;

/** Shows the pages in the language of a BCP 47 tag, and remembers it in this browser. */
export async function setLocale(tag: string | null): Promise<void> {
  if (tag) await changeTag?.(tag);
}

/** Provides the language, which is `initial` until `setLocale` changes it. */
export function LocaleProvider({ initial, children }: { initial: Locale; children: ComponentChildren }) {
  const [tag, setTag] = useState<string>(initial);
  useEffect(() => {
    changeTag = async (nextTag) => {
      const next = localeOf(nextTag);
      setCookie('portico_locale', next);
      await reloadTexts(next);
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
