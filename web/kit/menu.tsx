import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';

/** The distance between the button and its list. */
const GAP_PX = 4;

/** A button that opens a list of links and buttons. The browser closes it with Escape and with a click beside it. */
export function Menu({ label, button, children }: { label: string; button: ComponentChildren; children: ComponentChildren }) {
  const id = useId();
  const opener = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const place = ({ newState }: { newState: string }) => {
    if (newState !== 'open' || !opener.current || !list.current) return;
    const { top, bottom, right } = opener.current.getBoundingClientRect();
    const { offsetHeight, offsetWidth } = list.current;
    const hasSpaceBelow = bottom + GAP_PX + offsetHeight <= innerHeight;
    list.current.style.top = `${hasSpaceBelow ? bottom + GAP_PX : Math.max(GAP_PX, top - GAP_PX - offsetHeight)}px`;
    list.current.style.left = `${Math.max(2 * GAP_PX, right - offsetWidth)}px`;
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
