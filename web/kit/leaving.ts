import { useLayoutEffect } from 'preact/hooks';

/** Makes the browser ask before the user leaves the page. Without a question, it does not ask. */
export function useAskBeforeLeaving(question: string | undefined): void {
  // Not after the next frame: a user who sees the page could already leave it.
  useLayoutEffect(() => (question ? askBeforeLeaving(question) : undefined), [question]);
}

function askBeforeLeaving(question: string): () => void {
  const onUnload = (event: BeforeUnloadEvent) => event.preventDefault();
  // Going to another page of the app does not unload this one. Older browsers lack the Navigation API.
  const onNavigate = (event: NavigateEvent) => {
    if (event.destination.sameDocument && event.cancelable && !confirm(question)) event.preventDefault();
  };
  const navigation = 'navigation' in globalThis ? globalThis.navigation : undefined;
  addEventListener('beforeunload', onUnload);
  navigation?.addEventListener('navigate', onNavigate);
  return () => {
    removeEventListener('beforeunload', onUnload);
    navigation?.removeEventListener('navigate', onNavigate);
  };
}
