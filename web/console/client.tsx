import type { Client } from '@portico/client';
import { useState } from 'preact/hooks';
import type { PageProps } from '../start/pages.tsx';
import { useTexts } from '../app/texts.ts';
import { Button } from '../kit/button.tsx';
import { LinkButton } from '../kit/link-button.tsx';
import { Notice } from '../kit/notice.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { BackLink } from './parts/back-link.tsx';
import { ArchiveClientDialog, EditClientDialog } from './parts/clients/client-dialogs.tsx';
import { ClientInvitations } from './parts/clients/client-invitations.tsx';
import { ClientPeople } from './parts/clients/client-people.tsx';
import { WithClient } from './parts/clients/with-client.tsx';
import { InviteDialog } from './parts/invite/invite-dialog.tsx';
import { Outcomes } from './parts/outcome.tsx';
import { useMay } from './parts/permissions.ts';
import { ClientStatus } from './parts/status.tsx';

/** A client: its people, its invitations, and what can be done with it. */
export default function ClientPage({ params: { client: id = '' } }: PageProps) {
  const { client: texts } = useTexts('console');
  return (
    <Outcomes>
      <BackLink href="/console/clients">{texts.back}</BackLink>
      <WithClient id={id}>
        {(client) => (
          <>
            <ClientHead client={client} />
            {client.status === 'archived' && (
              <Notice kind="warning">
                <p>{texts.isArchived}</p>
              </Notice>
            )}
            <ClientPeople clientId={id} />
            <ClientInvitations clientId={id} />
          </>
        )}
      </WithClient>
    </Outcomes>
  );
}

type DialogName = 'invite' | 'edit' | 'archive';

function ClientHead({ client }: { client: Client }) {
  const { fields, labelled } = useTexts('console');
  const mayEdit = useMay('clients:edit');
  const [dialog, setDialog] = useState<DialogName>();
  const close = () => setDialog(undefined);
  return (
    <>
      <PageHead title={client.name}>{mayEdit && <ClientActions client={client} open={setDialog} />}</PageHead>
      <p class="p-client-facts">
        <ClientStatus status={client.status} />
        {client.external_ref && (
          <span class="p-muted">{labelled(fields.externalRef, `\u2068${client.external_ref}\u2069`)}</span>
        )}
      </p>
      {dialog === 'invite' && <InviteDialog clientId={client.id} onClose={close} />}
      {dialog === 'edit' && <EditClientDialog client={client} onClose={close} />}
      {dialog === 'archive' && <ArchiveClientDialog client={client} onClose={close} />}
    </>
  );
}

function ClientActions({ client, open }: { client: Client; open: (dialog: DialogName) => void }) {
  const { client: texts } = useTexts('console');
  const isArchived = client.status === 'archived';
  return (
    <>
      {!isArchived && (
        <>
          <Button kind="primary" onClick={() => open('invite')}>
            {texts.invite}
          </Button>
          <LinkButton kind="secondary" href={`/console/clients/${client.id}/bulk-invite`}>
            {texts.bulkInvite}
          </LinkButton>
        </>
      )}
      <Button onClick={() => open('edit')}>{texts.edit}</Button>
      <Button onClick={() => open('archive')}>{isArchived ? texts.restore : texts.archive}</Button>
    </>
  );
}
