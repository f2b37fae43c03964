import { inviteColleague, type MemberRole } from '@portico/client';
import { useLocale, useTexts } from '../../app/texts.ts';
import { Button } from '../../kit/button.tsx';
import { Dialog } from '../../kit/dialog.tsx';
import { Form, optionalTextOf, textOf } from '../../kit/form.tsx';
import { useLanguageChoices } from '../../kit/language-choices.ts';
import { SelectField } from '../../kit/select-field.tsx';
import { TextField } from '../../kit/text-field.tsx';

interface InviteDialogProps {
  onDone: (sentence: string) => unknown;
  onClose: () => void;
}

/** The dialog that invites a colleague. */
export function InviteDialog({ onDone, onClose }: InviteDialogProps) {
  const { colleagues: texts, ...portal } = useTexts('portal');
  const { cancel } = useTexts('signedIn');
  const locale = useLocale();
  const send = (values: FormData) => {
    const name = optionalTextOf(values, 'name');
    const role = textOf(values, 'role') as MemberRole;
    return inviteColleague({ body: { email: textOf(values, 'email'), role, locale: textOf(values, 'locale'), ...(name && { name }) } });
  };
  return (
    <Dialog title={texts.invite} onClose={onClose}>
      <Form
        send={send}
        onSent={async (invited) => {
          onClose();
          if (invited) await onDone(texts.invited(invited.invitation.email));
        }}
        describe={({ code }) => (code === 'portal_user_exists' ? texts.exists : undefined)}
        submit={texts.send}
        actions={
          <Button kind="plain" onClick={onClose}>
            {cancel}
          </Button>
        }
      >
        <p>{texts.inviteIntro}</p>
        <TextField name="email" type="email" label={portal.email} required />
        <TextField name="name" label={portal.name} />
        <SelectField
          name="role"
          label={portal.role}
          hint={texts.roleHint}
          value="member"
          choices={(['member', 'admin'] as const).map((role) => ({ value: role, label: portal.roles[role] }))}
          required
        />
        <SelectField
          name="locale"
          label={portal.language}
          hint={texts.languageHint}
          value={locale}
          choices={useLanguageChoices()}
          required
        />
      </Form>
    </Dialog>
  );
}
