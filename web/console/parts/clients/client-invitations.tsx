import { listClientInvitations } from '@portico/client';
import { useTexts } from '../../../app/texts.ts';
import { Card } from '../../../kit/card.tsx';
import { EmptyState } from '../../../kit/empty-state.tsx';
import { FilterBar, SelectFilter } from '../../../kit/filters.tsx';
import { choicesOf } from '../choices.ts';
import { useFilters } from '../filters.ts';
import { InvitationsTable, isQueued } from '../invitations/invitations-table.tsx';
import { DELIVERY_STATUSES, INVITATION_STATUSES } from '../invitations/statuses.ts';
import { useList } from '../list.tsx';

/** The invitations to a client. Its filters have a prefix in the address, because the people have filters too. */
export function ClientInvitations({ clientId }: { clientId: string }) {
  const { client, fields, invitationStatuses, deliveryStatuses } = useTexts('console');
  const filters = useFilters({ status: INVITATION_STATUSES, delivery: DELIVERY_STATUSES }, 'invitation_');
  const { values, set } = filters;
  const list = useList(
    ['invitations', clientId, values],
    (cursor) => listClientInvitations({ path: { client_id: clientId }, query: { ...values, cursor } }),
    isQueued,
  );
  return (
    <Card title={client.invitations}>
      <FilterBar onClear={filters.isFiltered ? filters.clear : undefined}>
        <SelectFilter
          label={fields.status}
          choices={choicesOf(invitationStatuses)}
          value={values.status}
          onChange={(status) => set({ status })}
        />
        <SelectFilter
          label={fields.delivery}
          choices={choicesOf(deliveryStatuses)}
          value={values.delivery}
          onChange={(delivery) => set({ delivery })}
        />
      </FilterBar>
      <InvitationsTable
        list={list}
        caption={client.invitations}
        filters={filters}
        clientIdOf={() => clientId}
        empty={<EmptyState title={client.noInvitations} />}
      />
    </Card>
  );
}
