import { listInvitations } from '@portico/client';
import { useTexts } from '../app/texts.ts';
import { Card } from '../kit/card.tsx';
import { EmptyState } from '../kit/empty-state.tsx';
import { LinkButton } from '../kit/link-button.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { ClientLink } from './parts/client-link.tsx';
import { InvitationList, isQueued, SEARCHED_INVITATION_FILTERS } from './parts/invitations/invitation-list.tsx';
import { useFilters } from './parts/filters.ts';
import { useList } from './parts/list.tsx';
import { Outcomes } from './parts/outcome.tsx';

/** The invitations to all clients. */
export default function InvitationsPage() {
  const { invitations, fields, navigation } = useTexts('console');
  const filters = useFilters(SEARCHED_INVITATION_FILTERS);
  const list = useList(['invitations', filters.values], (cursor) => listInvitations({ query: { ...filters.values, cursor } }), isQueued);
  return (
    <Outcomes>
      <PageHead title={invitations.title} />
      <Card>
        <InvitationList
          list={list}
          caption={invitations.title}
          filters={filters}
          isSearchable
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
