import { useEffect, useId } from 'preact/hooks';
import { CopyButton } from './copy-button.tsx';
import { Notice } from './notice.tsx';

interface SecretProps {
  label: string;
  value: string;
  /** Says that the secret is not shown again. */
  warning: string;
  /** The question before the user goes back. */
  question: string;
}

/** A secret that is shown once, with a button that copies it. The browser asks before the user leaves the page. */
export function Secret({ label, value, warning, question }: SecretProps) {
  const id = useId();
  useEffect(() => askBeforeLeaving(question), [question]);
  return (
    <div class="p-stack">
      <Notice kind="warning">
        <p>{warning}</p>
      </Notice>
      <div class="p-field">
        <label for={id}>{label}</label>
        <div class="p-secret">
          <input class="p-input" id={id} readOnly value={value} dir="ltr" autocomplete="off" spellcheck={false} onFocus={(event) => event.currentTarget.select()} />
          <CopyButton text={value} />
        </div>
      </div>
    </div>
  );
}

/** Makes the browser ask before the page is left. Returns a function that ends this. */
function askBeforeLeaving(question: string): () => void {
  const onUnload = (event: BeforeUnloadEvent) => event.preventDefault();
  // Going back to another page of the app does not unload this one. Older browsers lack the Navigation API.
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
