import { useEffect, useState } from 'preact/hooks';
import { tabStorage } from '../../app/tab-storage.ts';

/** The token of the mailed link that has opened the page. */
export interface OpenedLink {
  token: string | undefined;
  /** Forgets the token, once it is spent or dead. */
  forget: () => void;
}

/** Where this tab keeps the token of a page, so that a reload and a return to the page work. */
const keyOf = (path: string) => `portico:link:${path}`;
const keyOfPage = () => keyOf(location.pathname);

/** Forgets the token of another page of this tab. */
export const forgetLinkOf = (path: string): void => tabStorage.remove(keyOf(path));

/**
 * Returns the token in the fragment of the address, and removes it from the address and the history at once. Another
 * link that is opened in the same tab replaces it.
 */
export function useOpenedLink(): OpenedLink {
  const [token, setToken] = useState(takeToken);
  useEffect(() => {
    const take = () => location.hash && setToken(takeToken());
    addEventListener('hashchange', take);
    return () => removeEventListener('hashchange', take);
  }, []);
  return { token, forget: () => tabStorage.remove(keyOfPage()) };
}

function takeToken(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get('token')?.trim();
  if (location.hash) history.replaceState(null, '', location.pathname + location.search);
  if (!token) return tabStorage.read(keyOfPage());
  tabStorage.write(keyOfPage(), token);
  return token;
}
