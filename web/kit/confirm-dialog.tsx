import type { PorticoError } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useTexts } from '../app/texts.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { Form, type Result } from './form.tsx';

interface ConfirmDialogProps<Data> {
  title: string;
  /** The text of the button that acts. It names the act, for example "Cancel the invitation". */
  confirm: string;
  kind?: 'primary' | 'danger';
  act: () => Promise<Result<Data>>;
  /** Returns a sentence for an error, in place of the general one. */
  describe?: ((problem: PorticoError) => string | undefined) | undefined;
  onDone: (data: Data | undefined) => unknown;
  onClose: () => void;
  children: ComponentChildren;
}

/** A dialog that asks before an act, and shows why it has failed. */
export function ConfirmDialog<Data>({ title, confirm, kind = 'danger', act, describe, onDone, onClose, children }: ConfirmDialogProps<Data>) {
  const texts = useTexts('common');
  return (
    <Dialog title={title} onClose={onClose}>
      <Form
        send={act}
        onSent={async (data) => {
          await onDone(data);
          onClose();
        }}
        describe={describe}
        submit={confirm}
        submitKind={kind}
        actions={
          <Button kind="plain" onClick={onClose}>
            {texts.cancel}
          </Button>
        }
      >
        {children}
      </Form>
    </Dialog>
  );
}
