import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';

/** The distance between a menu and its button, and the edges of the window. */
const GAP_PX = 4;

/** A button that opens a list of links and buttons. The browser closes it with Escape and with a click beside it. */
export function Menu({ label, button, children }: { label: string; button: ComponentChildren; children: ComponentChildren }) {
  const id = useId();
  const opener = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const place = ({ newState }: { newState: string }) => {
    if (newState === 'open' && opener.current && list.current) placeBeside(opener.current, list.current);
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

/**
 * Places a list below its button, or above it where the window ends. Where there is no room for either, as in a zoomed
 * window, the list covers the button.
 */
function placeBeside(opener: HTMLElement, list: HTMLElement): void {
  const { top, bottom, right } = opener.getBoundingClientRect();
  const [below, above] = [bottom + GAP_PX, top - GAP_PX - list.offsetHeight];
  const lowest = innerHeight - GAP_PX - list.offsetHeight;
  const isAbove = below > lowest && above >= GAP_PX;
  list.style.top = `${isAbove ? above : Math.max(GAP_PX, Math.min(below, lowest))}px`;
  list.style.left = `${Math.max(2 * GAP_PX, right - list.offsetWidth)}px`;
}
