import type { BulkRowResult } from '@portico/client';
import { useState } from 'preact/hooks';
import { useTexts } from '../../../app/texts.ts';
import { Badge } from '../../../kit/badge.tsx';
import { Checkbox } from '../../../kit/checkbox.tsx';
import { LoadMore } from '../../../kit/load-more.tsx';
import { Table } from '../../../kit/table.tsx';
import { useRowTexts } from './row-texts.ts';

/** How many rows are shown at first, and by each click on the button for more. */
const ROWS_PER_STEP = 100;

const KINDS = { invited: 'success', exists: 'neutral', duplicate: 'neutral', limited: 'warning', invalid: 'danger' } as const;

/** A row of the table, and what happens or has happened to it. */
export interface ShownRow extends BulkRowResult {
  name: string;
  /** Whether the row could be invited, but was not sent. */
  isUnsent?: boolean;
}

/** The rows of a table, with their outcomes and errors. */
export function RowsTable({ rows, outcomeTitle }: { rows: ShownRow[]; outcomeTitle: string }) {
  const { bulk, fields } = useTexts('console');
  const [onlyProblems, setOnlyProblems] = useState(false);
  const [limit, setLimit] = useState(ROWS_PER_STEP);
  const matching = onlyProblems ? rows.filter(({ status, isUnsent }) => status !== 'invited' || isUnsent) : rows;
  const hasProblems = rows.some(({ status, isUnsent }) => status !== 'invited' || isUnsent);
  return (
    <>
      {hasProblems && (
        <Checkbox name="only-problems" checked={onlyProblems} onChange={setOnlyProblems}>
          {bulk.onlyProblems}
        </Checkbox>
      )}
      <Table
        caption={bulk.preview}
        rows={matching.slice(0, limit)}
        keyOf={({ row }) => String(row)}
        columns={[
          { title: fields.person, role: 'heading', cell: ({ email, name }) => <Person email={email} name={name} /> },
          { title: bulk.row, align: 'end', cell: ({ row }) => row },
          { title: outcomeTitle, cell: (row) => <Outcome row={row} /> },
        ]}
      />
      <LoadMore query={{ hasNextPage: matching.length > limit, fetchNextPage: async () => setLimit(limit + ROWS_PER_STEP) }} />
    </>
  );
}

function Person({ email, name }: { email: string | null; name: string }) {
  return (
    <span class="p-cell">
      <span>{email ?? '–'}</span>
      {name && (
        <span class="p-muted p-small">
          <bdi>{name}</bdi>
        </span>
      )}
    </span>
  );
}

function Outcome({ row }: { row: ShownRow }) {
  const { bulk } = useTexts('console');
  const { outcome, errors } = useRowTexts();
  return (
    <span class="p-cell">
      {row.isUnsent ? <Badge>{bulk.statuses.unsent}</Badge> : <Badge kind={KINDS[row.status]}>{outcome(row)}</Badge>}
      {errors(row).map((sentence) => (
        <span key={sentence} class="p-small">
          {sentence}
        </span>
      ))}
    </span>
  );
}
