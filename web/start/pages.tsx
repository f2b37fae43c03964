// Loads and shows the page for the address.
import { Component, type ComponentChildren, type ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { FailedPage, UnknownPage } from './error-pages.tsx';
import { matchRoute, useLocation } from '../app/location.tsx';
import type { Realm } from '../app/navigation.ts';
import type { PageEntry } from './page-entry.ts';
import { loadTexts, useLocale } from '../app/texts.ts';

/** The pages of an app, and how to load them. */
export interface App {
  realm: Realm;
  /** The path of the start page. All pages of the app are below it. */
  base: string;
  pages: PageEntry[];
  /** Loads the file of each page, under its name. */
  files: Record<string, () => Promise<unknown>>;
  /** Loads the component that asks for the session and surrounds the pages after sign-in. */
  signedIn: () => Promise<{ default: Surrounding }>;
}

/** What a page receives: the parameters in its path. */
export interface PageProps {
  params: Record<string, string>;
}
type Page = ComponentType<PageProps>;
type Surrounding = ComponentType<{ children: ComponentChildren }>;

interface Shown {
  entry: PageEntry;
  params: Record<string, string>;
  page: Page;
  surrounding: Surrounding | undefined;
}

/** Shows the page for the address. The previous page stays until the next one has loaded. */
export function Pages({ app }: { app: App }) {
  const { path } = useLocation();
  const locale = useLocale();
  const found = findPage(app.pages, path);
  const [shown, setShown] = useState<Shown | 'failed'>();
  const [startedSignedIn] = useState(Boolean(found?.entry.signedIn));

  useEffect(() => {
    if (!found) return;
    // The document has the styles of the pages before sign-in or after it, as the server has chosen for its address.
    if (Boolean(found.entry.signedIn) !== startedSignedIn) return location.reload();
    let isCurrent = true;
    const show = (next: Shown | 'failed') => isCurrent && setShown(next);
    load(app, found.entry, locale).then(
      (loaded) => show({ ...found, ...loaded }),
      () => show('failed'),
    );
    return () => void (isCurrent = false);
  }, [path]);

  if (!found) return <UnknownPage home={app.base} />;
  if (!shown) return null;
  if (shown === 'failed') return <FailedPage />;
  const { entry, params, page: Content, surrounding: Surrounding } = shown;
  const content = (
    <ErrorBoundary key={path}>
      <Content key={entry.path} params={params} />
    </ErrorBoundary>
  );
  return Surrounding ? <Surrounding>{content}</Surrounding> : content;
}

async function load(app: App, entry: PageEntry, locale: ReturnType<typeof useLocale>) {
  const [page, surrounding] = await Promise.all([
    app.files[`./${entry.file}.tsx`]?.() as Promise<{ default: Page }>,
    entry.signedIn ? app.signedIn() : undefined,
    loadTexts(locale, ['common', ...(entry.signedIn ? (['signedIn'] as const) : []), ...entry.texts]),
  ]);
  // A script of another build came in the place of a file, and reloads the page (`api/src/pages/reload.js`). The page
  // that is shown stays until then, if this is in a second.
  const { 'portico-reloads': delay } = globalThis as { 'portico-reloads'?: number };
  if (delay === 1000) return new Promise<never>(() => undefined);
  if (!page.default) throw new Error('the file of a page belongs to another build');
  return { page: page.default, surrounding: surrounding?.default };
}

function findPage(pages: PageEntry[], path: string) {
  for (const entry of pages) {
    const params = matchRoute(entry.path, path);
    if (params) return { entry, params };
  }
  return undefined;
}

/** Shows a page that says that an error occurred, instead of an empty one. */
class ErrorBoundary extends Component<{ children: ComponentChildren }, { failed: boolean }> {
  override state = { failed: false };

  override componentDidCatch(error: unknown): void {
    console.error(error);
    this.setState({ failed: true });
  }

  override render() {
    return this.state.failed ? <FailedPage /> : this.props.children;
  }
}
