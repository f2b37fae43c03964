import { useState } from 'preact/hooks';
import { Button, type ButtonProps } from '../kit/button.tsx';
import { ConfirmDialog } from '../kit/confirm-dialog.tsx';
import { CopyButton } from '../kit/copy-button.tsx';
import { Dialog } from '../kit/dialog.tsx';
import { LinkButton } from '../kit/link-button.tsx';
import { Menu } from '../kit/menu.tsx';
import { ProblemDialog } from '../kit/problem-dialog.tsx';
import { RowMenu } from '../kit/row-menu.tsx';
import type { Entry } from './entry.ts';
import { problem } from './messages.tsx';

const KINDS = ['primary', 'secondary', 'plain', 'danger'] as const;

/** What a user presses. */
export const ACTIONS: Entry[] = [
  {
    name: 'Button',
    states: [
      { name: 'of each kind', show: () => <Buttons /> },
      { name: 'small', show: () => <Buttons small /> },
      { name: 'busy', show: () => <Buttons busy /> },
      { name: 'disabled', show: () => <Buttons disabled /> },
    ],
  },
  {
    name: 'LinkButton',
    states: [
      {
        name: 'of each kind',
        show: () => (
          <div class="p-actions">
            {KINDS.filter((kind) => kind !== 'danger').map((kind) => (
              <LinkButton key={kind} kind={kind} href="#">
                Open the client
              </LinkButton>
            ))}
          </div>
        ),
      },
    ],
  },
  { name: 'CopyButton', states: [{ name: 'before it is pressed', show: () => <CopyButton text="pat_example" /> }] },
  {
    name: 'Menu',
    states: [
      {
        name: 'closed',
        show: () => (
          <Menu label="Actions for Anna Archer" button="Actions">
            <button type="button">Send again</button>
            <button type="button">Cancel</button>
          </Menu>
        ),
      },
    ],
  },
  {
    name: 'RowMenu',
    states: [
      {
        name: 'closed',
        show: () => <RowMenu label="Actions for Anna Archer" actions={[{ label: 'Remove', onClick: () => undefined }]} />,
      },
    ],
  },
  {
    name: 'ProblemDialog',
    states: [
      {
        name: 'opens by a button',
        show: () => <Opener text="Sign out">{(close) => <ProblemDialog title="Sign out" problem={problem('internal')} onClose={close} />}</Opener>,
      },
    ],
  },
  {
    name: 'Dialog',
    states: [
      { name: 'opens by a button', show: () => <Opener text="Open a dialog">{(close) => <Dialog title="Correct the address" onClose={close}>The new address gets an invitation.</Dialog>}</Opener> },
      {
        name: 'that asks before an act',
        show: () => (
          <Opener text="Open a question">
            {(close) => (
              <ConfirmDialog title="Cancel the invitation?" confirm="Cancel the invitation" act={() => Promise.resolve({})} onDone={() => undefined} onClose={close}>
                <p>The link in the mail stops working.</p>
              </ConfirmDialog>
            )}
          </Opener>
        ),
      },
    ],
  },
];

function Buttons(props: Partial<ButtonProps>) {
  return (
    <div class="p-actions">
      {KINDS.map((kind) => (
        <Button key={kind} kind={kind} {...props}>
          Send the invitation
        </Button>
      ))}
    </div>
  );
}

function Opener({ text, children }: { text: string; children: (close: () => void) => preact.ComponentChildren }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>{text}</Button>
      {open && children(() => setOpen(false))}
    </>
  );
}
