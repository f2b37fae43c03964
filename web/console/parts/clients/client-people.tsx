import { listClientPortalUsers } from '@portico/client';
import { useTexts } from '../../../app/texts.ts';
import { Card } from '../../../kit/card.tsx';
import { EmptyState } from '../../../kit/empty-state.tsx';
import { FilterBar, SearchFilter, SelectFilter } from '../../../kit/filters.tsx';
import { choicesOf } from '../choices.ts';
import { useFilters } from '../filters.ts';
import { useList } from '../list.tsx';
import { PeopleTable } from '../people/people-table.tsx';

/** The people of a client. */
export function ClientPeople({ clientId }: { clientId: string }) {
  const { client, fields, memberStatuses } = useTexts('console');
  const filters = useFilters({ q: 'search', status: ['invited', 'active', 'disabled'] });
  const { values, set } = filters;
  const list = useList(['people', clientId, values], (cursor) =>
    listClientPortalUsers({ path: { client_id: clientId }, query: { ...values, cursor } }),
  );
  return (
    <Card title={client.people}>
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
        caption={client.people}
        filters={filters}
        clientIdOf={() => clientId}
        empty={<EmptyState title={client.noPeople} />}
      />
    </Card>
  );
}
