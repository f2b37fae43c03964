import { Badge } from '../kit/badge.tsx';
import { Button } from '../kit/button.tsx';
import { ChartTable, NestedColumns, ShareBar, Swatch } from '../kit/chart.tsx';
import { RetryCountdown } from '../kit/countdown.tsx';
import { DateTime } from '../kit/date-time.tsx';
import { Fact, Facts } from '../kit/facts.tsx';
import { LoadMore } from '../kit/load-more.tsx';
import { Logo } from '../kit/logo.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { PersonCell } from '../kit/person-cell.tsx';
import { sessionColumns } from '../kit/session-columns.tsx';
import { Table } from '../kit/table.tsx';
import { NAMES, type Entry } from './entry.ts';

const SESSIONS = ['Firefox on Windows', 'Unknown device'].map((device, index) => ({
  id: device,
  device,
  ip: index === 0 ? '2001:db8:85a3:8d3:1319:8a2e:370:7348' : null,
  current: index === 0,
  created_at: '2026-03-02T09:30:00Z',
  last_seen_at: '2026-03-03T10:05:00Z',
}));

const SESSION_TEXTS = {
  device: 'Device',
  unknownDevice: 'Unknown device',
  current: 'This device',
  network: 'IP address',
  since: 'Signed in',
  lastSeen: 'Last used',
  actions: 'Actions',
  end: 'End',
  endLabel: (device: string) => `End the session on ${device}`,
};

const PEOPLE = Object.values(NAMES).map((name, index) => ({ name, count: index * 1000 }));

const DAYS = Array.from({ length: 14 }, (_, index) => `Mar ${index + 1}`);
const STEPS = [1, 0.9, 0.7, 0.5].map((part, step) => ({
  name: ['Invited', 'Delivered', 'Activated', 'Signed in'][step] ?? '',
  values: DAYS.map((_, index) => Math.round((4 + ((index * 7) % 11)) * part)),
}));

/** How pages show data. */
export const LISTS: Entry[] = [
  {
    name: 'Table',
    states: [
      {
        name: 'with names that are hard to lay out',
        show: () => (
          <Table
            caption="People"
            rows={PEOPLE}
            keyOf={({ name }) => name}
            below={({ count }) => count === 1000 && 'What stands below this person.'}
            columns={[
              { title: 'Name', role: 'heading', cell: ({ name }) => <PersonCell name={name} email="ann@acme.test" /> },
              { title: 'Status', cell: () => <Badge kind="success">Active</Badge> },
              { title: 'Mails', align: 'end', cell: ({ count }) => count },
              { title: 'Actions', role: 'actions', cell: ({ name }) => <Button small label={`Disable ${name}`}>Disable</Button> },
            ]}
          />
        ),
      },
      {
        name: 'of sessions',
        show: () => (
          <Table caption="Sessions" rows={SESSIONS} keyOf={({ id }) => id} columns={sessionColumns(SESSION_TEXTS, () => undefined)} />
        ),
      },
    ],
  },
  {
    name: 'Facts',
    states: [
      {
        name: 'with a time',
        show: () => (
          <Facts>
            <Fact name="Name">{NAMES.rightToLeft}</Fact>
            <Fact name="Created">
              <DateTime value="2026-03-03T10:05:00Z" />
            </Fact>
            <Fact name="Reference">{NAMES.unbroken}</Fact>
          </Facts>
        ),
      },
    ],
  },
  {
    name: 'NestedColumns',
    states: [
      {
        name: 'with a table',
        show: () => (
          <>
            <NestedColumns columns={DAYS} series={STEPS} summary="Invitations of two weeks" format={String} />
            <p>
              {STEPS.map(({ name }, step) => (
                <span key={name}>
                  <Swatch step={step + 1} /> {name}{' '}
                </span>
              ))}
            </p>
            <ChartTable>
              <Table
                caption="Invitations of two weeks"
                rows={DAYS.map((day, index) => ({ day, index }))}
                keyOf={({ day }) => day}
                columns={[
                  { title: 'Day', cell: ({ day }) => day },
                  ...STEPS.map(({ name, values }) => ({ title: name, align: 'end' as const, cell: ({ index }: { index: number }) => values[index] })),
                ]}
              />
            </ChartTable>
          </>
        ),
      },
      { name: 'a share', show: () => <ShareBar share={0.6} /> },
    ],
  },
  { name: 'LoadMore', states: [{ name: 'with more entries', show: () => <LoadMore query={{ hasNextPage: true, fetchNextPage: () => Promise.resolve() }} /> }] },
  { name: 'RetryCountdown', states: [{ name: 'while one waits', show: () => <RetryCountdown left={42} total={60} /> }, { name: 'at its end', show: () => <RetryCountdown left={0} total={60} /> }] },
  { name: 'Logo', states: [{ name: 'without a picture', show: () => <Logo /> }] },
];

/** The head of a page. It has the heading of the page, so the frames show it. */
export const Head = () => (
  <PageHead title="Clients">
    <Button kind="primary">Add a client</Button>
  </PageHead>
);
