import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { useTexts } from '../app/texts.ts';
import { focusContent } from './focus-content.ts';

interface DialogProps {
  title: string;
  onClose: () => void;
  /** The dialog stays open until its content closes it: Escape does nothing, and there is no button in the corner. */
  persistent?: boolean;
  children: ComponentChildren;
}

/** Moves the focus to where it was, or to the page if the act of the dialog has removed that element. */
function returnFocus(before: Element | null): void {
  if (before instanceof HTMLElement && before.isConnected) before.focus();
  else focusContent();
}

/**
 * A modal dialog. It is open while it is in the page. The focus begins in its first field, stays in it, and returns to
 * where it was.
 */
export function Dialog({ title, onClose, persistent, children }: DialogProps) {
  const texts = useTexts('signedIn');
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>('input, select, textarea')?.focus();
    // Outside of a modal dialog nothing takes the focus until the dialog has left the page.
    return () => queueMicrotask(() => returnFocus(before));
  }, []);
  return (
    <dialog
      class="p-dialog"
      ref={dialog}
      aria-labelledby={id}
      onClose={onClose}
      onCancel={(event) => persistent && event.preventDefault()}
      {...(persistent ? { closedby: 'none' } : {})}
    >
      <header class="p-dialog-head">
        <h2 id={id} class="p-card-title" dir="auto">
          {title}
        </h2>
        {!persistent && (
          <button type="button" class="p-icon-button" aria-label={texts.close} onClick={() => dialog.current?.close()}>
            <span aria-hidden="true">×</span>
          </button>
        )}
      </header>
      {children}
    </dialog>
  );
}
