import { listPortalUsers } from '@portico/client';
import { useTexts } from '../app/texts.ts';
import { Card } from '../kit/card.tsx';
import { EmptyState } from '../kit/empty-state.tsx';
import { FilterBar, SearchFilter, SelectFilter } from '../kit/filters.tsx';
import { LinkButton } from '../kit/link-button.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { choicesOf } from './parts/choices.ts';
import { ClientLink } from './parts/client-link.tsx';
import { useFilters } from './parts/filters.ts';
import { useList } from './parts/list.tsx';
import { Outcomes } from './parts/outcome.tsx';
import { PeopleTable } from './parts/people/people-table.tsx';

/** The people with access to a client, of all clients. */
export default function PeoplePage() {
  const { people, fields, memberStatuses, navigation } = useTexts('console');
  const filters = useFilters({ q: 'search', status: ['invited', 'active', 'disabled'] });
  const { values, set } = filters;
  const list = useList(['people', values], (cursor) => listPortalUsers({ query: { ...values, cursor } }));
  return (
    <Outcomes>
      <PageHead title={people.title} />
      <Card>
        <FilterBar onClear={filters.isFiltered ? filters.clear : undefined}>
          <SearchFilter label={fields.search} hint={fields.searchPeople} value={values.q} onChange={(q) => set({ q })} />
          <SelectFilter
            label={fields.status}
            choices={choicesOf(memberStatuses)}
            value={values.status}
            onChange={(status) => set({ status })}
          />
        </FilterBar>
        <PeopleTable
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
