import { invitePortalUser, type InvitedPortalUser, type PorticoError } from '@portico/client';
import { useState } from 'preact/hooks';
import { useTexts } from '../../../app/texts.ts';
import { ConfirmDialog } from '../../../kit/confirm-dialog.tsx';
import { optionalTextOf, textOf } from '../../../kit/form.tsx';
import { useLanguageChoices } from '../../../kit/language-choices.ts';
import { SelectField } from '../../../kit/select-field.tsx';
import { TextField } from '../../../kit/text-field.tsx';
import { reloadPeople } from '../changes.ts';
import { choicesOf } from '../choices.ts';
import { useOutcome } from '../outcome.tsx';
import { InviteAdvice } from './advice.tsx';
import { UndoInvitation } from './undo-invitation.tsx';

/** The dialog that invites a person to a client. It says beforehand and afterwards what is sent. */
export function InviteDialog({ clientId, onClose }: { clientId: string; onClose: () => void }) {
  const { invite, clientArchived } = useTexts('console');
  const say = useOutcome();
  const [email, setEmail] = useState('');
  const sentences: Partial<Record<PorticoError['code'], string>> = {
    portal_user_exists: invite.exists,
    client_suspended: clientArchived,
  };
  const sayInvited = ({ invitation, invite_mode: mode }: InvitedPortalUser) => {
    const undo = mode === 'setup' && <UndoInvitation key={invitation.id} invitation={{ ...invitation, clientId }} />;
    say(invite.after[mode](invitation.email), undo);
  };
  const done = (sent: InvitedPortalUser | undefined) => {
    if (sent) sayInvited(sent);
    return reloadPeople();
  };
  return (
    <ConfirmDialog
      title={invite.title}
      confirm={invite.submit}
      kind="primary"
      act={(values) => invitePortalUser({ path: { client_id: clientId }, body: invitationOf(values) })}
      describe={({ code }) => sentences[code]}
      about={email}
      onDone={done}
      onClose={onClose}
    >
      <PersonFields email={email} onEmail={setEmail} />
      <InviteAdvice clientId={clientId} email={email} />
    </ConfirmDialog>
  );
}

function PersonFields({ email, onEmail }: { email: string; onEmail: (email: string) => void }) {
  const { invite, fields, memberRoles } = useTexts('console');
  const languages = useLanguageChoices();
  return (
    <>
      <TextField
        name="email"
        type="email"
        label={fields.email}
        hint={invite.emailHint}
        value={email}
        onInput={onEmail}
        autoFocus
        required
      />
      <TextField name="name" label={fields.name} hint={invite.nameHint} />
      <SelectField name="role" label={fields.role} choices={choicesOf(memberRoles)} value="member" required />
      <SelectField name="locale" label={fields.language} hint={invite.languageHint} choices={[{ value: '', label: fields.languageDefault }, ...languages]} />
    </>
  );
}

const invitationOf = (values: FormData) => ({
  email: textOf(values, 'email'),
  name: optionalTextOf(values, 'name'),
  role: textOf(values, 'role') as 'member' | 'admin',
  locale: optionalTextOf(values, 'locale'),
});
