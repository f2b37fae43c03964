// The address of the page. Links to other pages of the app change it without loading the document again.
import { createContext, type ComponentChildren } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';

/** The address of the page, and how to change it. */
export interface PageLocation {
  /** The path without a slash at the end. */
  path: string;
  /** The parameters of the query. */
  query: URLSearchParams;
  /** Shows another page of the app. With `replace`, the current one leaves the history. */
  goTo: (address: string, options?: { replace?: boolean }) => void;
}

const LocationContext = createContext<PageLocation | undefined>(undefined);

/** Provides the address to the pages, and follows links to paths under `base`. */
export function LocationProvider({ base, children }: { base: string; children: ComponentChildren }) {
  const [address, setAddress] = useState(currentAddress);

  useEffect(() => {
    const follow = (event: MouseEvent) => {
      const link = linkToFollow(event);
      if (!link || !isBelow(base, link.pathname)) return;
      event.preventDefault();
      goTo(link.href);
    };
    const update = () => setAddress(currentAddress());
    addEventListener('click', follow);
    addEventListener('popstate', update);
    return () => {
      removeEventListener('click', follow);
      removeEventListener('popstate', update);
    };
  }, []);

  const goTo = (next: string, { replace = false } = {}) => {
    const before = location.pathname;
    if (replace) history.replaceState(null, '', next);
    else history.pushState(null, '', next);
    setAddress(currentAddress());
    if (location.pathname !== before) scrollTo(0, 0);
  };
  const { pathname, searchParams } = new URL(address, location.origin);
  const value = { path: pathname.replace(/\/+$/, '') || '/', query: searchParams, goTo };
  return <LocationContext.Provider value={value}>{children}</LocationContext.Provider>;
}

/**
 * Returns the address of the page.
 *
 * @throws Outside of `LocationProvider`.
 */
export function useLocation(): PageLocation {
  const value = useContext(LocationContext);
  if (!value) throw new Error('there is no LocationProvider');
  return value;
}

const currentAddress = () => location.pathname + location.search;
const isBelow = (base: string, path: string) => path === base || path.startsWith(`${base}/`);

/** Returns the link of a plain click that the browser would follow in this tab. */
function linkToFollow(event: MouseEvent): HTMLAnchorElement | undefined {
  if (event.defaultPrevented || event.button !== 0) return undefined;
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return undefined;
  const link = event.composedPath().find((element) => element instanceof HTMLAnchorElement);
  const staysHere = link?.href && link.origin === location.origin && !link.download && /^(_self)?$/.test(link.target);
  return staysHere && !link.getAttribute('href')?.startsWith('#') ? link : undefined;
}

/**
 * Returns the parameters of a path that matches a route, else `undefined`. A segment of the route that begins with a
 * colon is a parameter.
 */
export function matchRoute(route: string, path: string): Record<string, string> | undefined {
  const [names, values] = [route.split('/'), path.split('/')];
  if (names.length !== values.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, name] of names.entries()) {
    const value = decodeSegment(values[index] ?? '');
    if (name.startsWith(':') && value) params[name.slice(1)] = value;
    else if (name !== value) return undefined;
  }
  return params;
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    // A percent sign begins no code.
    return undefined;
  }
}
