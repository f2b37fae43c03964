import { listAuditEvents } from '@portico/client';
import { useTexts } from '../app/texts.ts';
import { Card } from '../kit/card.tsx';
import { EmptyState } from '../kit/empty-state.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { AuditFilters, FILTERS } from './parts/audit/audit-filters.tsx';
import { AuditTable } from './parts/audit/audit-table.tsx';
import { Export } from './parts/audit/export.tsx';
import { endOfDay, startOfDay, useFilters } from './parts/filters.ts';
import { useList } from './parts/list.tsx';
import { useMay } from './parts/permissions.ts';

/** Who did what in the tenant, and when. */
export default function AuditPage() {
  const { audit: texts } = useTexts('settings');
  const mayRead = useMay('audit:read');
  const filters = useFilters(FILTERS);
  const { values } = filters;
  const chosen = { ...values, from: startOfDay(values.from), to: endOfDay(values.to) };
  const list = useList(['audit', values], (cursor) => listAuditEvents({ query: { ...chosen, cursor } }));
  return (
    <>
      <PageHead title={texts.title} />
      <p class="p-intro">{texts.intro}</p>
      <Card>
        {mayRead && <AuditFilters filters={filters} events={list.data ?? []} />}
        <AuditTable list={list} filters={filters} empty={<EmptyState title={texts.none} />} />
      </Card>
      {mayRead && <Export query={chosen} />}
    </>
  );
}
