// The dialogs that change the staff.
import { inviteStaff, removeStaff, updateStaff, type PorticoError, type StaffMember, type StaffRole } from '@portico/client';
import { queries } from '../../../app/queries.tsx';
import { useTexts } from '../../../app/texts.ts';
import { Button } from '../../../kit/button.tsx';
import { ConfirmDialog } from '../../../kit/confirm-dialog.tsx';
import { Dialog } from '../../../kit/dialog.tsx';
import { Form, optionalTextOf, textOf } from '../../../kit/form.tsx';
import { TextField } from '../../../kit/text-field.tsx';
import { useOutcome } from '../outcome.tsx';
import { RoleField } from './role-permissions.tsx';
import { ROLES } from './roles.ts';
import { useSession } from '../session.tsx';
import { useStepUp } from '../../../kit/factors/step-up.tsx';

const roleOf = (values: FormData) => textOf(values, 'role') as StaffRole;
const reload = () => queries.invalidateQueries({ queryKey: ['staff'] });

/** Invites a person to the staff. */
export function InviteStaff({ onClose }: { onClose: () => void }) {
  const { staff: texts, ...common } = useTexts('access');
  const { cancel } = useTexts('signedIn');
  const { whenFresh } = useStepUp();
  const invite = (values: FormData) =>
    inviteStaff({ body: { email: textOf(values, 'email'), name: optionalTextOf(values, 'name'), role: roleOf(values) } });
  const say = useOutcome();
  const done = async (member: StaffMember | undefined) => {
    await reload();
    if (member) say(texts.invited(member.email ?? member.name));
    onClose();
  };
  return (
    <Dialog title={texts.invite} onClose={onClose}>
      <Form
        send={(values) => whenFresh(() => invite(values))}
        onSent={done}
        describe={({ code }) => (code === 'conflict' ? texts.addressTaken : undefined)}
        submit={texts.send}
        actions={<CancelButton label={cancel} onClick={onClose} />}
      >
        <TextField name="email" type="email" label={common.email} hint={texts.inviteHint} required />
        <TextField name="name" label={common.name} hint={texts.nameHint} />
        <RoleField roles={ROLES} initial="viewer" />
      </Form>
    </Dialog>
  );
}

/** Changes the name and the role of a person. */
export function EditStaff({ member, onClose }: { member: StaffMember; onClose: () => void }) {
  const { staff: texts, ...common } = useTexts('access');
  const { save, cancel } = useTexts('signedIn');
  const { whenFresh } = useStepUp();
  const isSelf = useSession().user.id === member.id;
  const update = (values: FormData) =>
    updateStaff({ path: { staff_id: member.id }, body: { name: textOf(values, 'name'), role: roleOf(values) } });
  const done = async () => {
    await Promise.all([reload(), isSelf && queries.invalidateQueries({ queryKey: ['session'] })]);
    onClose();
  };
  return (
    <Dialog title={texts.editTitle} onClose={onClose}>
      <Form
        send={(values) => whenFresh(() => update(values))}
        onSent={done}
        describe={useLastOwner()}
        submit={save}
        actions={<CancelButton label={cancel} onClick={onClose} />}
      >
        <TextField name="name" label={common.name} value={member.name} required />
        <RoleField roles={ROLES} initial={member.role} />
        {isSelf && <p>{texts.ownRole}</p>}
      </Form>
    </Dialog>
  );
}

/** Removes a person from the staff, after a question. */
export function RemoveStaff({ member, onClose }: { member: StaffMember; onClose: () => void }) {
  const { staff: texts } = useTexts('access');
  const { whenFresh } = useStepUp();
  const isSelf = useSession().user.id === member.id;
  return (
    <ConfirmDialog
      title={texts.removeTitle(member.name)}
      confirm={texts.removeConfirm}
      act={() => whenFresh(() => removeStaff({ path: { staff_id: member.id } }))}
      describe={useLastOwner()}
      onDone={reload}
      onClose={onClose}
    >
      <p>{texts.removeBody}</p>
      {isSelf && <p>{texts.removeSelf}</p>}
    </ConfirmDialog>
  );
}

function useLastOwner() {
  const { staff: texts } = useTexts('access');
  return ({ code }: PorticoError) => (code === 'last_owner' ? texts.lastOwner : undefined);
}

function CancelButton({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <Button kind="plain" onClick={onClick}>
      {label}
    </Button>
  );
}
