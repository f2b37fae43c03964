import { Badge } from '../kit/badge.tsx';
import { Button } from '../kit/button.tsx';
import { RetryCountdown } from '../kit/countdown.tsx';
import { DateTime } from '../kit/date-time.tsx';
import { Fact, Facts } from '../kit/facts.tsx';
import { LoadMore } from '../kit/load-more.tsx';
import { Logo } from '../kit/logo.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { Table } from '../kit/table.tsx';
import { NAMES, type Entry } from './entry.ts';

const PEOPLE = Object.values(NAMES).map((name, index) => ({ name, count: index * 1000 }));

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
            columns={[
              { title: 'Name', role: 'heading', cell: ({ name }) => <span dir="auto">{name}</span> },
              { title: 'Status', cell: () => <Badge kind="success">Active</Badge> },
              { title: 'Mails', align: 'end', cell: ({ count }) => count },
              { title: 'Actions', role: 'actions', cell: ({ name }) => <Button small label={`Disable ${name}`}>Disable</Button> },
            ]}
          />
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
