import { listClients, type Client } from '@portico/client';
import { useState } from 'preact/hooks';
import { useTexts } from '../app/texts.ts';
import { Button } from '../kit/button.tsx';
import { Card } from '../kit/card.tsx';
import { DateTime } from '../kit/date-time.tsx';
import { EmptyState } from '../kit/empty-state.tsx';
import { FilterBar, SearchFilter, SelectFilter } from '../kit/filters.tsx';
import { PageHead } from '../kit/page-head.tsx';
import type { Column } from '../kit/table.tsx';
import { choicesOf } from './parts/choices.ts';
import { ClientLink } from './parts/client-link.tsx';
import { CreateClientDialog } from './parts/clients/client-dialogs.tsx';
import { useFilters } from './parts/filters.ts';
import { ListTable, useList } from './parts/list.tsx';
import { useMay } from './parts/permissions.ts';
import { ClientStatus } from './parts/status.tsx';

/** The clients of the tenant. */
export default function ClientsPage() {
  const { clients, fields, clientStatuses } = useTexts('console');
  const mayEdit = useMay('clients:edit');
  const [isCreating, setCreating] = useState(false);
  const filters = useFilters({ q: 'search', status: ['active', 'past_due', 'archived'] });
  const { values, set } = filters;
  const list = useList(['clients', values], (cursor) => listClients({ query: { ...values, cursor } }));
  const create = mayEdit && (
    <Button kind="primary" onClick={() => setCreating(true)}>
      {clients.create}
    </Button>
  );
  return (
    <>
      <PageHead title={clients.title}>{create}</PageHead>
      <Card>
        <FilterBar onClear={filters.isFiltered ? filters.clear : undefined}>
          <SearchFilter label={fields.search} hint={fields.searchClients} value={values.q} onChange={(q) => set({ q })} />
          <SelectFilter
            label={fields.status}
            choices={choicesOf(clientStatuses)}
            value={values.status}
            onChange={(status) => set({ status })}
          />
        </FilterBar>
        <ListTable
          list={list}
          caption={clients.title}
          filters={filters}
          columns={useColumns()}
          empty={
            <EmptyState title={clients.none}>
              <p>{clients.noneHint}</p>
            </EmptyState>
          }
        />
      </Card>
      {isCreating && <CreateClientDialog onClose={() => setCreating(false)} />}
    </>
  );
}

function useColumns(): Column<Client>[] {
  const { fields } = useTexts('console');
  return [
    { title: fields.name, role: 'heading', cell: (client) => <ClientLink client={client} /> },
    { title: fields.externalRef, cell: ({ external_ref }) => <bdi>{external_ref ?? '–'}</bdi> },
    { title: fields.status, cell: ({ status }) => <ClientStatus status={status} /> },
    { title: fields.createdAt, cell: ({ created_at }) => <DateTime value={created_at} dateOnly /> },
  ];
}
