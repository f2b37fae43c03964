import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';

/** A button that opens a list of links and buttons. The browser closes it with Escape and with a click beside it. */
export function Menu({ label, button, children }: { label: string; button: ComponentChildren; children: ComponentChildren }) {
  const id = useId();
  const opener = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const place = ({ newState }: { newState: string }) => {
    if (newState !== 'open' || !opener.current || !list.current) return;
    const { bottom, right } = opener.current.getBoundingClientRect();
    list.current.style.top = `${bottom + 4}px`;
    list.current.style.left = `${Math.max(8, right - list.current.offsetWidth)}px`;
  };
  return (
    <>
      <button type="button" class="p-button p-button-plain p-button-small" aria-label={label} popovertarget={id} ref={opener}>
        {button}
      </button>
      <div popover="auto" id={id} class="p-menu" ref={list} onToggle={place} onClick={() => list.current?.hidePopover()}>
        {children}
      </div>
    </>
  );
}
