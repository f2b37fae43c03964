// Starts an app: language, brand, connection and pages.
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { boot } from './boot.ts';
import { BrandProvider } from './brand.tsx';
import { setCookie } from './cookies.ts';
import { LocationProvider } from './location.tsx';
import { useReloadAfterRestore } from './restored-page.ts';
import { Pages, type App } from './pages.tsx';
import { loadTexts, localeOf, LocaleContext, reloadTexts, setTextFiles, type Locale, type TextFiles } from './texts.ts';

/** What differs between the portal and the console. */
export interface AppDefinition extends App {
  /** The files of the bundles of texts. */
  texts: TextFiles;
}

let changeLocale: ((locale: Locale) => Promise<void>) | undefined;

/** Shows the pages in the language of a BCP 47 tag, and remembers it in this browser. */
export async function setLocale(tag: string | null): Promise<void> {
  if (tag) await changeLocale?.(localeOf(tag));
}

/** Starts an app in `<div id="app">`. */
export async function startApp({ texts, ...app }: AppDefinition): Promise<void> {
  setTextFiles(texts);
  const locale = localeOf(boot.locale);
  await loadTexts(locale, ['common']);
  const root = document.getElementById('app');
  if (root) render(<Root app={app} initialLocale={locale} />, root);
}

function Root({ app, initialLocale }: { app: App; initialLocale: Locale }) {
  const [locale, setState] = useState(initialLocale);
  useReloadAfterRestore();
  useEffect(() => {
    changeLocale = async (next) => {
      setCookie('portico_locale', next);
      await reloadTexts(next);
      document.documentElement.lang = next;
      setState(next);
    };
  }, []);
  return (
    <LocaleContext.Provider value={locale}>
      <BrandProvider>
        <LocationProvider base={app.base}>
          <Pages app={app} />
        </LocationProvider>
      </BrandProvider>
    </LocaleContext.Provider>
  );
}
