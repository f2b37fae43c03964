// The dialogs that create and remove service accounts.
import { createServiceAccount, removeServiceAccount, type ServiceAccount, type ServiceAccountRole } from '@portico/client';
import { queries } from '../../../app/queries.tsx';
import { useTexts } from '../../../app/texts.ts';
import { Button } from '../../../kit/button.tsx';
import { ConfirmDialog } from '../../../kit/confirm-dialog.tsx';
import { Dialog } from '../../../kit/dialog.tsx';
import { Form, textOf } from '../../../kit/form.tsx';
import { TextField } from '../../../kit/text-field.tsx';
import { RoleField } from '../staff/role-permissions.tsx';
import { SERVICE_ROLES } from '../staff/roles.ts';
import { useStepUp } from '../../../kit/factors/step-up.tsx';

/** Loads all lists again that show service accounts. */
async function reload(): Promise<void> {
  const lists = ['service-accounts', 'staff', 'tokens'];
  await Promise.all(lists.map((name) => queries.invalidateQueries({ queryKey: [name] })));
}

/** Creates a service account. */
export function CreateServiceAccount({ onClose }: { onClose: () => void }) {
  const { serviceAccounts: texts, name } = useTexts('access');
  const { cancel } = useTexts('signedIn');
  const { whenFresh } = useStepUp();
  const create = (values: FormData) =>
    createServiceAccount({ body: { name: textOf(values, 'name'), role: textOf(values, 'role') as ServiceAccountRole } });
  const done = async () => {
    await reload();
    onClose();
  };
  return (
    <Dialog title={texts.create} onClose={onClose}>
      <Form
        send={(values) => whenFresh(() => create(values))}
        onSent={done}
        submit={texts.createSubmit}
        actions={
          <Button kind="plain" onClick={onClose}>
            {cancel}
          </Button>
        }
      >
        <TextField name="name" label={name} hint={texts.nameHint} required />
        <RoleField roles={SERVICE_ROLES} initial="viewer" />
      </Form>
    </Dialog>
  );
}

/** Removes a service account, after a question. */
export function RemoveServiceAccount({ account, onClose }: { account: ServiceAccount; onClose: () => void }) {
  const { serviceAccounts: texts } = useTexts('access');
  const { whenFresh } = useStepUp();
  return (
    <ConfirmDialog
      title={texts.removeTitle(account.name)}
      confirm={texts.removeConfirm}
      act={() => whenFresh(() => removeServiceAccount({ path: { account_id: account.id } }))}
      onDone={reload}
      onClose={onClose}
    >
      <p>{texts.removeBody}</p>
    </ConfirmDialog>
  );
}
