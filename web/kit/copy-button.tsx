import { useState } from 'preact/hooks';
import { useTexts } from '../app/texts.ts';
import { Button } from './button.tsx';

/** A button that copies a text, and says so. */
export function CopyButton({ text, label }: { text: string; label?: string }) {
  const texts = useTexts('signedIn');
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 4000);
  };
  return (
    <>
      <Button small onClick={copy} {...(label ? { label } : {})}>
        {copied ? texts.copied : texts.copy}
      </Button>
      <span class="p-hidden" role="status">
        {copied ? texts.copied : ''}
      </span>
    </>
  );
}
