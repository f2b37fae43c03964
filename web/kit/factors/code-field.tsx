import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { PorticoError } from '@portico/client';
import { TextField } from '../text-field.tsx';

interface CodeFieldProps {
  name: string;
  label: string;
  hint?: ComponentChildren;
  /** A sentence about the code that was entered. */
  problem?: string | undefined;
  /** `digits` are six, of an app or of a mail. `recovery` is a recovery code. */
  kind?: 'digits' | 'recovery';
  /** Whether the field takes the focus when it appears. */
  takesFocus?: boolean;
  inputRef: RefObject<HTMLInputElement>;
}

/** A field for a code. */
export function CodeField({ kind = 'digits', takesFocus, inputRef, ...props }: CodeFieldProps) {
  const isDigits = kind === 'digits';
  useEffect(() => {
    if (takesFocus) inputRef.current?.focus();
  }, []);
  return (
    <div class={isDigits ? 'p-code' : 'p-code p-code-recovery'}>
      <TextField
        {...props}
        autocomplete={isDigits ? 'one-time-code' : 'off'}
        inputMode={isDigits ? 'numeric' : 'text'}
        required
        inputRef={inputRef}
      />
    </div>
  );
}

/** Returns the code that a user has typed, without the spaces that apps and mails show. */
export const digitsOf = (typed: string): string => typed.replace(/[\s-]+/g, '');

/** What a form does when a code is refused: it says so beside the field, and the code can be typed over. */
export function useRefusedCode(onRefused?: () => void) {
  const field = useRef<HTMLInputElement>(null);
  const [isWrong, setWrong] = useState(false);
  const onProblem = ({ code }: PorticoError) => {
    const isRefused = code === 'invalid_code';
    setWrong(isRefused);
    if (!isRefused) return false;
    onRefused?.();
    // Once the sentence is in the page. A field that gets the focus again is read again.
    requestAnimationFrame(() => {
      field.current?.blur();
      field.current?.focus();
      field.current?.select();
    });
    return true;
  };
  return { field, isWrong, onProblem, forget: () => setWrong(false) };
}
