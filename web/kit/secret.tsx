import { useId, useRef } from 'preact/hooks';
import { CopyButton } from './copy-button.tsx';
import { useAskBeforeLeaving } from './leaving.ts';
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
  const field = useRef<HTMLInputElement>(null);
  useAskBeforeLeaving(question);
  return (
    <div class="p-stack">
      <Notice kind="warning">
        <p>{warning}</p>
      </Notice>
      <div class="p-field">
        <label for={id}>{label}</label>
        <div class="p-secret">
          <input
            class="p-input"
            id={id}
            readOnly
            value={value}
            dir="ltr"
            autocomplete="off"
            spellcheck={false}
            ref={field}
            onFocus={(event) => event.currentTarget.select()}
          />
          <CopyButton text={value} field={field} />
        </div>
      </div>
    </div>
  );
}
