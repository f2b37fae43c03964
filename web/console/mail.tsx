import { listEmails } from '@portico/client';
import { useState } from 'preact/hooks';
import { useTexts } from '../app/texts.ts';
import { Button } from '../kit/button.tsx';
import { Card } from '../kit/card.tsx';
import { EmptyState } from '../kit/empty-state.tsx';
import { DateRangeFilter, FilterBar, SelectFilter, ValueFilter } from '../kit/filters.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { choicesOf } from './parts/choices.ts';
import { ADDRESS, endOfDay, startOfDay, useFilters } from './parts/filters.ts';
import { useList } from './parts/list.tsx';
import { MAIL_KINDS, MAIL_STATUSES } from './parts/mail/kinds.ts';
import { isQueued, MailTable } from './parts/mail/mail-table.tsx';
import { RetryAllDialog } from './parts/mail/retry-all.tsx';
import { Outcomes } from './parts/outcome.tsx';
import { useMay } from './parts/permissions.ts';

/** The mails of the tenant, and what has become of each. */
export default function MailPage() {
  const { mail: texts } = useTexts('settings');
  const { deliveryStatuses, fields } = useTexts('console');
  const mayRetry = useMay('emails:edit');
  const mayReadOverview = useMay('clients:read');
  const [isRetrying, setRetrying] = useState(false);
  const filters = useFilters({ status: MAIL_STATUSES, kind: MAIL_KINDS, recipient: ADDRESS, from: 'date', to: 'date' });
  const { values, set } = filters;
  const chosen = { kind: values.kind, recipient: values.recipient, from: startOfDay(values.from), to: endOfDay(values.to) };
  const load = (cursor?: string) => listEmails({ query: { ...chosen, status: values.status, cursor } });
  const list = useList(['mails', values], load, isQueued);
  return (
    <Outcomes>
      <PageHead title={texts.title}>{mayRetry && <Button onClick={() => setRetrying(true)}>{texts.retryAll}</Button>}</PageHead>
      <p class="p-intro">
        {texts.intro} {mayReadOverview && <a href="/console">{texts.toOverview}</a>}
      </p>
      <Card>
        <FilterBar onClear={filters.isFiltered ? filters.clear : undefined}>
          <ValueFilter
            label={texts.recipient}
            hint={texts.recipientHint}
            value={values.recipient}
            pattern={ADDRESS}
            problem={texts.recipientInvalid}
            onChange={(recipient) => set({ recipient })}
          />
          <SelectFilter
            label={fields.status}
            choices={choicesOf(deliveryStatuses)}
            value={values.status}
            onChange={(status) => set({ status })}
          />
          <SelectFilter label={texts.kind} choices={choicesOf(texts.kinds)} value={values.kind} onChange={(kind) => set({ kind })} />
          <DateRangeFilter from={values.from} to={values.to} onChange={set} />
        </FilterBar>
        <MailTable
          list={list}
          filters={filters}
          empty={
            <EmptyState title={texts.none}>
              <p>{texts.noneHint}</p>
            </EmptyState>
          }
        />
      </Card>
      {isRetrying && <RetryAllDialog filters={chosen} onClose={() => setRetrying(false)} />}
    </Outcomes>
  );
}
