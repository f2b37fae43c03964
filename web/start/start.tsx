// Starts an app: language, brand, address and pages.
import { render } from 'preact';
import { boot } from '../app/boot.ts';
import { BrandProvider } from '../app/brand.tsx';
import { LocaleProvider } from '../app/locale-provider.tsx';
import { localeOf, type Locale } from '../app/locales.ts';
import { LocationProvider } from '../app/location.tsx';
import { loadTexts, setTextFiles, type TextFiles } from '../app/texts.ts';
import { Pages, type App } from './pages.tsx';
import { useReloadAfterRestore } from './restored-page.ts';

/** What differs between the portal and the console. */
export interface AppDefinition extends App {
  /** The files of the bundles of texts. */
  texts: TextFiles;
}

/** Starts an app in `<div id="app">`. */
export async function startApp({ texts, ...app }: AppDefinition): Promise<void> {
  setTextFiles(texts);
  const locale = localeOf(boot.locale);
  await loadTexts(locale, ['common']);
  const root = document.getElementById('app');
  if (root) render(<Root app={app} locale={locale} />, root);
}

function Root({ app, locale }: { app: App; locale: Locale }) {
  useReloadAfterRestore();
  return (
    <LocaleProvider initial={locale}>
      <BrandProvider>
        <LocationProvider base={app.base}>
          <Pages app={app} />
        </LocationProvider>
      </BrandProvider>
    </LocaleProvider>
  );
}
