import { listPortalUsers } from '@portico/client';
import { useTexts } from '../app/texts.ts';
import { Card } from '../kit/card.tsx';
import { EmptyState } from '../kit/empty-state.tsx';
import { LinkButton } from '../kit/link-button.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { ClientLink } from './parts/client-link.tsx';
import { useFilters } from './parts/filters.ts';
import { useList } from './parts/list.tsx';
import { Outcomes } from './parts/outcome.tsx';
import { PeopleList, PERSON_FILTERS } from './parts/people/people-list.tsx';

/** The people with access to a client, of all clients. */
export default function PeoplePage() {
  const { people, fields, navigation } = useTexts('console');
  const filters = useFilters(PERSON_FILTERS);
  const list = useList(['people', filters.values], (cursor) => listPortalUsers({ query: { ...filters.values, cursor } }));
  return (
    <Outcomes>
      <PageHead title={people.title} />
      <Card>
        <PeopleList
          list={list}
          caption={people.title}
          filters={filters}
          clientIdOf={({ client }) => client.id}
          columns={[{ title: fields.client, cell: ({ client }) => <ClientLink client={client} /> }]}
          empty={
            <EmptyState title={people.none}>
              <p>{people.noneHint}</p>
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
