import type { Overview } from '@portico/client';
import { useFormatLocale } from '../../../app/format-locale.ts';
import { useTexts } from '../../../app/texts.ts';
import { formats } from '../../../i18n/formats.ts';
import { Card } from '../../../kit/card.tsx';
import { ChartTable, NestedColumns, Swatch } from '../../../kit/chart.tsx';
import { EmptyState } from '../../../kit/empty-state.tsx';
import { Table } from '../../../kit/table.tsx';
import { FirstSteps } from './first-steps.tsx';

type Day = Overview['funnel'][number];

const STEPS = ['invited', 'delivered', 'activated', 'signed_in'] as const;

/** How far the invitations of each day have come: as numbers, as a chart and as a table. */
export function Funnel({ days }: { days: Day[] }) {
  const { funnel } = useTexts('console').overview;
  const isEmpty = days.every(({ invited }) => invited === 0);
  if (isEmpty) return <FirstSteps orElse={<Card title={funnel.title}><EmptyState title={funnel.none} /></Card>} />;
  return (
    <Card title={funnel.title}>
      <p class="p-muted">{funnel.hint}</p>
      <Totals days={days} />
      <Chart days={days} />
      <DaysTable days={days} />
    </Card>
  );
}

/** The sums of the steps. They are the legend of the chart too. */
function Totals({ days }: { days: Day[] }) {
  const { funnel } = useTexts('console').overview;
  const locale = useFormatLocale();
  const invited = totalOf(days, 'invited');
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });
  return (
    <dl class="p-steps">
      {STEPS.map((step, index) => (
        <div key={step}>
          <dt>
            <Swatch step={index + 1} />
            {funnel.steps[step]}
          </dt>
          <dd class="p-figure">{formats(locale).number(totalOf(days, step))}</dd>
          {index > 0 && <dd class="p-muted p-small">{funnel.share(percent.format(totalOf(days, step) / invited))}</dd>}
        </div>
      ))}
    </dl>
  );
}

function Chart({ days }: { days: Day[] }) {
  const { funnel } = useTexts('console').overview;
  const locale = useFormatLocale();
  return (
    <NestedColumns
      columns={days.map(({ day }) => dayName(day, locale, DAY_OF_YEAR))}
      series={STEPS.map((step) => ({ name: funnel.steps[step], values: days.map((day) => day[step]) }))}
      summary={funnel.summary(
        dayName(days[0]?.day, locale),
        dayName(days.at(-1)?.day, locale),
        totalOf(days, 'invited'),
        totalOf(days, 'signed_in'),
      )}
      format={formats(locale).number}
    />
  );
}

/** The days with invitations, the last one first. */
function DaysTable({ days }: { days: Day[] }) {
  const { overview } = useTexts('console');
  const locale = useFormatLocale();
  const steps = STEPS.map((step) => ({
    title: overview.funnel.steps[step],
    align: 'end' as const,
    cell: (day: Day) => formats(locale).number(day[step]),
  }));
  return (
    <ChartTable>
      <Table
        caption={overview.funnel.title}
        rows={days.filter(({ invited }) => invited > 0).reverse()}
        keyOf={({ day }) => day}
        columns={[{ title: overview.day, role: 'heading', cell: ({ day }) => dayName(day, locale) }, ...steps]}
      />
    </ChartTable>
  );
}

const totalOf = (days: Day[], step: (typeof STEPS)[number]): number => days.reduce((sum, day) => sum + day[step], 0);

const DAY_OF_YEAR: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short' };

/** Formats a day of the API, which is one of UTC. */
function dayName(day: string | undefined, locale: string, parts: Intl.DateTimeFormatOptions = { ...DAY_OF_YEAR, year: 'numeric' }): string {
  return day ? new Intl.DateTimeFormat(locale, { ...parts, timeZone: 'UTC' }).format(new Date(day)) : '';
}
