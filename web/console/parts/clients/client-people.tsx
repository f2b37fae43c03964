import { listClientPortalUsers } from '@portico/client';
import { useTexts } from '../../../app/texts.ts';
import { Card } from '../../../kit/card.tsx';
import { EmptyState } from '../../../kit/empty-state.tsx';
import { useFilters } from '../filters.ts';
import { useList } from '../list.tsx';
import { PeopleList, PERSON_FILTERS } from '../people/people-list.tsx';

/** The people of a client. */
export function ClientPeople({ clientId }: { clientId: string }) {
  const { client } = useTexts('console');
  const filters = useFilters(PERSON_FILTERS);
  const list = useList(['people', clientId, filters.values], (cursor) =>
    listClientPortalUsers({ path: { client_id: clientId }, query: { ...filters.values, cursor } }),
  );
  return (
    <Card title={client.people}>
      <PeopleList
        list={list}
        caption={client.people}
        filters={filters}
        clientIdOf={() => clientId}
        empty={<EmptyState title={client.noPeople} />}
      />
    </Card>
  );
}
