import { keepPreviousData, useQuery } from '@tanstack/preact-query';
import { getOverview } from '@portico/client';
import { dataOf } from '../app/queries.tsx';
import { useTexts } from '../app/texts.ts';
import { Loaded } from '../kit/loaded.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { Segments } from '../kit/segments.tsx';
import { useFilters } from './parts/filters.ts';
import { FailedMail } from './parts/overview/failed-mail.tsx';
import { Funnel } from './parts/overview/funnel.tsx';
import { WaitingMail } from './parts/overview/waiting-mail.tsx';
import { useMay } from './parts/permissions.ts';

const RANGES = ['7', '30', '90'] as const;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Charts of what has become of the invitations and the mails of the tenant. */
export default function OverviewPage() {
  const { overview } = useTexts('console');
  const mayReadMail = useMay('emails:read');
  const { values, set } = useFilters({ days: RANGES });
  const days = values.days ?? '30';
  const query = useQuery({
    queryKey: ['overview', days],
    queryFn: () => dataOf(getOverview({ query: { from: firstDay(Number(days)) } })),
    placeholderData: keepPreviousData,
  });
  const choices = RANGES.map((value) => ({ value, label: overview.days(Number(value)) }));
  return (
    <>
      <PageHead title={overview.title}>
        <Segments label={overview.range} choices={choices} value={days} onChange={(next) => set({ days: next })} />
      </PageHead>
      <Loaded query={query} lines={8}>
        {(data) => (
          <>
            <Funnel days={data.funnel} />
            <div class="p-columns">
              <FailedMail failed={data.failed_mail} from={firstDay(Number(days))} mayReadMail={mayReadMail} />
              <WaitingMail seconds={data.oldest_queued_seconds} mayReadMail={mayReadMail} />
            </div>
          </>
        )}
      </Loaded>
    </>
  );
}

/** Returns the first of a number of days (UTC) that end today, such as `2026-11-01`. */
const firstDay = (days: number): string => new Date(Date.now() - (days - 1) * DAY_MS).toISOString().slice(0, 10);
