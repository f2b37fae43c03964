import { listInvitations } from '@portico/client';
import { useTexts } from '../app/texts.ts';
import { Card } from '../kit/card.tsx';
import { EmptyState } from '../kit/empty-state.tsx';
import { FilterBar, SearchFilter, SelectFilter } from '../kit/filters.tsx';
import { LinkButton } from '../kit/link-button.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { choicesOf } from './parts/choices.ts';
import { ClientLink } from './parts/client-link.tsx';
import { DELIVERY_STATUSES, INVITATION_STATUSES } from './parts/invitations/statuses.ts';
import { InvitationsTable, isQueued } from './parts/invitations/invitations-table.tsx';
import { useFilters } from './parts/filters.ts';
import { useList } from './parts/list.tsx';
import { Outcomes } from './parts/outcome.tsx';

/** The invitations to all clients. */
export default function InvitationsPage() {
  const { invitations, fields, invitationStatuses, deliveryStatuses, navigation } = useTexts('console');
  const filters = useFilters({ q: 'search', status: INVITATION_STATUSES, delivery: DELIVERY_STATUSES });
  const { values, set } = filters;
  const list = useList(['invitations', values], (cursor) => listInvitations({ query: { ...values, cursor } }), isQueued);
  return (
    <Outcomes>
      <PageHead title={invitations.title} />
      <Card>
        <FilterBar onClear={filters.isFiltered ? filters.clear : undefined}>
          <SearchFilter label={fields.search} hint={fields.searchPeople} value={values.q} onChange={(q) => set({ q })} />
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
          caption={invitations.title}
          filters={filters}
          clientIdOf={({ client }) => client.id}
          columns={[{ title: fields.client, cell: ({ client }) => <ClientLink client={client} /> }]}
          empty={
            <EmptyState title={invitations.none}>
              <p>{invitations.noneHint}</p>
              <LinkButton href="/console/clients" kind="secondary">
                {navigation.clients}
              </LinkButton>
            </EmptyState>
          }
        />
      </Card>
    </Outcomes>
  );
}
