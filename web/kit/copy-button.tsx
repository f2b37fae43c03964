import type { RefObject } from 'preact';
import { useState } from 'preact/hooks';
import { useTexts } from '../app/texts.ts';
import { Button } from './button.tsx';

/** How long the button says that the text is copied. */
const COPIED_MS = 4000;

interface CopyButtonProps {
  text: string;
  label?: string;
  /** The field that has the text. Where the browser refuses to copy, its text is selected. */
  field?: RefObject<HTMLInputElement>;
}

/** A button that copies a text, and says whether it is copied. */
export function CopyButton({ text, label, field }: CopyButtonProps) {
  const texts = useTexts('signedIn');
  const [outcome, setOutcome] = useState<'copied' | 'copyFailed'>();
  const copy = async () => {
    const copied = await copyText(text);
    setOutcome(copied ? 'copied' : 'copyFailed');
    if (copied) return void setTimeout(() => setOutcome(undefined), COPIED_MS);
    field?.current?.focus();
    field?.current?.select();
  };
  return (
    <>
      <Button small onClick={copy} {...(label ? { label } : {})}>
        {outcome === 'copied' ? texts.copied : texts.copy}
      </Button>
      <span class={outcome === 'copyFailed' ? 'p-small' : 'p-hidden'} role="status">
        {outcome && texts[outcome]}
      </span>
    </>
  );
}

/** Copies a text. Browsers have no clipboard on insecure origins, and may refuse it. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
