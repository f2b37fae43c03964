import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Spinner } from './spinner.tsx';

export interface ButtonProps {
  children: ComponentChildren;
  /** `primary` is for the one action that a page is for, `danger` for one that cannot be undone. */
  kind?: 'primary' | 'secondary' | 'plain' | 'danger';
  type?: 'button' | 'submit';
  /** Work is going on. The button keeps its width and its focus, and ignores clicks. */
  busy?: boolean;
  disabled?: boolean;
  /** What the button does, where its text does not say it. */
  label?: string;
  small?: boolean;
  /** While the returned promise is pending, the button is busy. So a double click acts once. */
  onClick?: (event: MouseEvent) => unknown;
  class?: string;
}

/** A button. */
export function Button({ kind = 'secondary', type = 'button', label, small, onClick, children, ...props }: ButtonProps) {
  const [acts, setActs] = useState(false);
  const busy = props.busy || acts;
  const click = (event: MouseEvent) => {
    if (busy || props.disabled) return event.preventDefault();
    const work = onClick?.(event);
    if (!(work instanceof Promise)) return;
    setActs(true);
    void work.finally(() => setActs(false));
  };
  return (
    <button
      type={type}
      class={`p-button p-button-${kind}${small ? ' p-button-small' : ''} ${props.class ?? ''}`}
      aria-label={label}
      aria-disabled={busy || props.disabled ? 'true' : undefined}
      data-busy={busy ? '' : undefined}
      onClick={click}
    >
      <span class="p-button-text">{children}</span>
      {busy && <Spinner />}
    </button>
  );
}
