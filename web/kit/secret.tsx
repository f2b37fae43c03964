import { useEffect, useId } from 'preact/hooks';
import { CopyButton } from './copy-button.tsx';
import { Notice } from './notice.tsx';

interface SecretProps {
  label: string;
  value: string;
  /** Says that the secret is not shown again. */
  warning: string;
}

/** A secret that is shown once, with a button that copies it. The browser asks before the user leaves the page. */
export function Secret({ label, value, warning }: SecretProps) {
  const id = useId();
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, []);
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
