import { useEffect } from 'preact/hooks';

/**
 * Reloads a page that the browser restores from its back/forward cache, because the session may have ended since. Only
 * pages after sign-in contain personal data.
 */
export function useReloadAfterRestore(): void {
  useEffect(() => {
    const reload = ({ persisted }: PageTransitionEvent) => {
      if (persisted) location.reload();
    };
    addEventListener('pageshow', reload);
    return () => removeEventListener('pageshow', reload);
  }, []);
}
