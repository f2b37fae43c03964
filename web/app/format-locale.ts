import { useContext } from 'preact/hooks';
import { TagContext, useLocale } from './texts.ts';

/**
 * Returns the BCP 47 tag for dates and numbers that components format. It has the language of the page, and the region of
 * the person or else of the browser: `en-GB` has other dates than `en`, which `Intl` takes for American English.
 */
export function useFormatLocale(): string {
  const locale = useLocale();
  return withRegion(useContext(TagContext) ?? locale);
}

/** Returns `tag` if it has a region, else the first tag of the browser with the same language, else `tag`. */
function withRegion(tag: string): string {
  if (tag.includes('-')) return tag;
  return navigator.languages.find((each) => each.split('-')[0] === tag) ?? tag;
}
