import { listClientInvitations } from '@portico/client';
import { useTexts } from '../../../app/texts.ts';
import { Card } from '../../../kit/card.tsx';
import { EmptyState } from '../../../kit/empty-state.tsx';
import { useFilters } from '../filters.ts';
import { InvitationList, isQueued, INVITATION_FILTERS } from '../invitations/invitation-list.tsx';
import { useList } from '../list.tsx';

/** The invitations to a client. Its filters have a prefix in the address, because the people have filters too. */
export function ClientInvitations({ clientId }: { clientId: string }) {
  const { client } = useTexts('console');
  const filters = useFilters(INVITATION_FILTERS, 'invitation_');
  const list = useList(
    ['invitations', clientId, filters.values],
    (cursor) => listClientInvitations({ path: { client_id: clientId }, query: { ...filters.values, cursor } }),
    isQueued,
  );
  return (
    <Card title={client.invitations}>
      <InvitationList
        list={list}
        caption={client.invitations}
        filters={filters}
        clientIdOf={() => clientId}
        empty={<EmptyState title={client.noInvitations} />}
      />
    </Card>
  );
}
