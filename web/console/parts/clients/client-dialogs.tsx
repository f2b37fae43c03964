// The dialogs that create and change a client.
import { createClient, updateClient, type Client, type PorticoError } from '@portico/client';
import { useLocation } from '../../../app/location.tsx';
import { useTexts } from '../../../app/texts.ts';
import { ConfirmDialog } from '../../../kit/confirm-dialog.tsx';
import { optionalTextOf, textOf } from '../../../kit/form.tsx';
import { SelectField } from '../../../kit/select-field.tsx';
import { TextField } from '../../../kit/text-field.tsx';
import { reloadClients } from '../changes.ts';

/** The dialog that creates a client, and then shows its page. */
export function CreateClientDialog({ onClose }: { onClose: () => void }) {
  const { clients } = useTexts('console');
  const { goTo } = useLocation();
  return (
    <ConfirmDialog
      title={clients.create}
      confirm={clients.createSubmit}
      kind="primary"
      act={(values) => createClient({ body: { name: textOf(values, 'name'), external_ref: optionalTextOf(values, 'external_ref') } })}
      describe={useDescribe()}
      onDone={async (client) => {
        await reloadClients();
        if (client) goTo(`/console/clients/${client.id}`);
      }}
      onClose={onClose}
    >
      <ClientFields />
    </ConfirmDialog>
  );
}

interface ClientDialogProps {
  client: Client;
  onClose: () => void;
}

/** The dialog that changes the name, the reference and the status of a client. */
export function EditClientDialog({ client, onClose }: ClientDialogProps) {
  const { client: texts, clientStatuses, fields } = useTexts('console');
  const { save } = useTexts('signedIn');
  const isArchived = client.status === 'archived';
  const send = (values: FormData) =>
    updateClient({
      path: { client_id: client.id },
      body: {
        name: textOf(values, 'name'),
        external_ref: optionalTextOf(values, 'external_ref') ?? null,
        ...(isArchived ? {} : { status: textOf(values, 'status') as Client['status'] }),
      },
    });
  return (
    <ConfirmDialog
      title={texts.editTitle}
      confirm={save}
      kind="primary"
      act={send}
      describe={useDescribe()}
      onDone={reloadClients}
      onClose={onClose}
    >
      <ClientFields client={client} />
      {!isArchived && (
        <SelectField
          name="status"
          label={fields.status}
          value={client.status}
          choices={(['active', 'past_due'] as const).map((value) => ({ value, label: clientStatuses[value] }))}
          required
        />
      )}
    </ConfirmDialog>
  );
}

/** The dialog that archives a client, or restores an archived one. */
export function ArchiveClientDialog({ client, onClose }: ClientDialogProps) {
  const { client: texts } = useTexts('console');
  const isArchived = client.status === 'archived';
  return (
    <ConfirmDialog
      title={isArchived ? texts.restoreTitle(client.name) : texts.archiveTitle(client.name)}
      confirm={isArchived ? texts.restoreConfirm : texts.archiveConfirm}
      kind={isArchived ? 'primary' : 'danger'}
      act={() => updateClient({ path: { client_id: client.id }, body: { status: isArchived ? 'active' : 'archived' } })}
      onDone={reloadClients}
      onClose={onClose}
    >
      <p>{isArchived ? texts.restoreBody : texts.archiveBody}</p>
    </ConfirmDialog>
  );
}

function ClientFields({ client }: { client?: Client }) {
  const { fields } = useTexts('console');
  return (
    <>
      <TextField name="name" label={fields.name} value={client?.name} autoFocus={!client} required />
      <TextField name="external_ref" label={fields.externalRef} hint={fields.externalRefHint} value={client?.external_ref ?? ''} />
    </>
  );
}

/** Returns the sentences for the errors of a change. */
function useDescribe(): (problem: PorticoError) => string | undefined {
  const { clients } = useTexts('console');
  return ({ code }) => (code === 'conflict' ? clients.referenceInUse : undefined);
}
