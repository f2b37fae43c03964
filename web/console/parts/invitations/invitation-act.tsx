// The acts on an invitation. Each asks first.
import { cancelInvitation, correctInvitation, resendInvitation, type Invitation, type PorticoError } from '@portico/client';
import { useTexts } from '../../../app/texts.ts';
import { ConfirmDialog } from '../../../kit/confirm-dialog.tsx';
import { optionalTextOf, textOf } from '../../../kit/form.tsx';
import { TextField } from '../../../kit/text-field.tsx';
import { reloadPeople } from '../changes.ts';
import { useOutcome } from '../outcome.tsx';

/** An invitation, and the client to which it leads. */
export type InvitationToClient = Invitation & { clientId: string };

export type InvitationActName = 'resend' | 'correct' | 'cancel';

/** Returns the acts that are possible for an invitation. */
export function actsFor({ status }: Invitation): InvitationActName[] {
  return status === 'pending' || status === 'expired' ? ['resend', 'correct', 'cancel'] : [];
}

interface DialogProps {
  invitation: InvitationToClient;
  onClose: () => void;
}

/** The dialog that asks before an act, and carries it out. */
export function InvitationActDialog({ name, ...props }: DialogProps & { name: InvitationActName }) {
  if (name === 'resend') return <ResendDialog {...props} />;
  return name === 'cancel' ? <CancelDialog {...props} /> : <CorrectDialog {...props} />;
}

function ResendDialog({ invitation, onClose }: DialogProps) {
  const { invitations: texts } = useTexts('console');
  const say = useOutcome();
  const done = () => {
    say(texts.resent(invitation.email));
    return reloadPeople();
  };
  return (
    <ConfirmDialog
      title={texts.resendTitle(invitation.email)}
      confirm={texts.resendConfirm}
      kind="primary"
      act={() => resendInvitation({ path: pathOf(invitation) })}
      describe={useDescribe()}
      onDone={done}
      onClose={onClose}
    >
      <p>{texts.resendBody}</p>
    </ConfirmDialog>
  );
}

/** The dialog that asks before an invitation is cancelled. */
export function CancelDialog({ invitation, onClose }: DialogProps) {
  const { invitations: texts } = useTexts('console');
  const say = useOutcome();
  const done = () => {
    say(texts.cancelled(invitation.email));
    return reloadPeople();
  };
  return (
    <ConfirmDialog
      title={texts.cancelTitle(invitation.email)}
      confirm={texts.cancelConfirm}
      dismiss={texts.keep}
      act={() => cancelInvitation({ path: pathOf(invitation) })}
      describe={useDescribe()}
      onDone={done}
      onClose={onClose}
    >
      <p>{texts.cancelBody}</p>
    </ConfirmDialog>
  );
}

function CorrectDialog({ invitation, onClose }: DialogProps) {
  const { invitations: texts, invite, fields } = useTexts('console');
  const say = useOutcome();
  const send = (values: FormData) =>
    correctInvitation({
      path: pathOf(invitation),
      body: { email: textOf(values, 'email'), name: optionalTextOf(values, 'name') },
    });
  return (
    <ConfirmDialog
      title={texts.correctTitle}
      confirm={texts.correctConfirm}
      kind="primary"
      act={send}
      describe={useDescribe()}
      onDone={(sent) => {
        if (sent) say(invite.after[sent.invite_mode](sent.invitation.email));
        return reloadPeople();
      }}
      onClose={onClose}
    >
      <p>{texts.correctBody}</p>
      <TextField name="email" type="email" label={fields.email} value={invitation.email} required />
      <TextField name="name" label={fields.name} value={invitation.name} />
    </ConfirmDialog>
  );
}

const pathOf = ({ clientId, id }: InvitationToClient) => ({ client_id: clientId, invitation_id: id });

/** Returns the sentences for the errors of an act on an invitation. */
function useDescribe(): (problem: PorticoError) => string | undefined {
  const { clientArchived, invitations, invite } = useTexts('console');
  const sentences: Partial<Record<PorticoError['code'], string>> = {
    client_suspended: clientArchived,
    conflict: invitations.changedSince,
    not_found: invitations.changedSince,
    portal_user_exists: invite.exists,
  };
  return ({ code }) => sentences[code];
}
