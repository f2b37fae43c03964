import type { PorticoError } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useTexts } from '../app/texts.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import type { Result } from '../app/call.ts';
import { Form } from './form.tsx';

export interface ConfirmDialogProps<Data> {
  title: string;
  /** The text of the button that acts. It names the act, for example "Cancel the invitation". */
  confirm: string;
  /** The text of the button that does nothing. Without it, the text is "Cancel". */
  dismiss?: string;
  kind?: 'primary' | 'danger';
  act: (values: FormData) => Promise<Result<Data>>;
  onDone: (data: Data | undefined) => unknown;
  onClose: () => void;
  /** Returns a sentence for an error, in place of the general one. */
  describe?: (problem: PorticoError) => string | undefined;
  /** See `Form`. */
  about?: string;
  children: ComponentChildren;
}

/** A dialog that asks before an act, and shows why it has failed. It may contain fields. */
export function ConfirmDialog<Data>({ title, confirm, dismiss, kind = 'danger', onClose, ...props }: ConfirmDialogProps<Data>) {
  const texts = useTexts('signedIn');
  return (
    <Dialog title={title} onClose={onClose}>
      <Form
        send={props.act}
        onSent={async (data) => {
          await props.onDone(data);
          onClose();
        }}
        describe={props.describe}
        about={props.about}
        submit={confirm}
        submitKind={kind}
        actions={
          <Button kind="plain" onClick={onClose}>
            {dismiss ?? texts.cancel}
          </Button>
        }
      >
        {props.children}
      </Form>
    </Dialog>
  );
}
