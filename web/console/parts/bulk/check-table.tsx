import type { BulkInvitationResult, BulkRowResult } from '@portico/client';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { retryAfter } from '../../../app/problem.ts';
import { useTexts } from '../../../app/texts.ts';
import { Button } from '../../../kit/button.tsx';
import { Card } from '../../../kit/card.tsx';
import { useCountdown } from '../../../kit/countdown.tsx';
import { LinkButton } from '../../../kit/link-button.tsx';
import { Notice } from '../../../kit/notice.tsx';
import { ProblemNotice } from '../../../kit/problem-notice.tsx';
import { Counts } from './counts.tsx';
import { useRowTexts, useTableProblem } from './row-texts.ts';
import { RowsTable, type ShownRow } from './rows-table.tsx';
import { saveTable } from '../../../kit/save-file.ts';
import { useSending, type Sending } from './sending.ts';
import { csvForSpreadsheets, type TableData } from './table.ts';

interface CheckTableProps {
  clientId: string;
  table: TableData;
  trial: BulkInvitationResult;
  onAnother: () => void;
}

/** The second step: what would happen to each row, then the sending, and what has happened. */
export function CheckTable({ clientId, table, trial, onAnother }: CheckTableProps) {
  const { bulk } = useTexts('console');
  const toSend = trial.rows.filter(({ status }) => status === 'invited').map(({ row }) => row);
  const sending = useSending(clientId, table, toSend);
  useWarningBeforeLeaving(sending.state === 'running');
  const rows = shownRows(table, trial.rows, sending);
  const hasBegun = sending.state !== 'ready';
  return (
    <Card title={hasBegun ? bulk.result : bulk.preview}>
      <div class="p-stack p-state" tabIndex={-1} ref={useFocus(hasBegun)}>
        {hasBegun ? <Progress sending={sending} total={toSend.length} /> : <Summary trial={trial} />}
      </div>
      <div class="p-actions">
        {sending.state === 'ready' && <SendButton count={toSend.length} run={sending.run} />}
        {sending.state === 'stopped' && <ResumeButton sending={sending} />}
        {sending.state === 'finished' && (
          <LinkButton href={`/console/clients/${clientId}`}>{bulk.toClient}</LinkButton>
        )}
        {hasBegun && sending.state !== 'running' && <DownloadButton rows={rows} />}
        {sending.state !== 'running' && (
          <Button kind="plain" onClick={onAnother}>
            {bulk.another}
          </Button>
        )}
      </div>
      <RowsTable rows={rows} outcomeTitle={hasBegun ? bulk.result : bulk.what} />
    </Card>
  );
}

/** Returns the reference of an element that receives the focus at first and after each change of `value`. */
function useFocus(value: unknown) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => element.current?.focus(), [value]);
  return element;
}

function Summary({ trial }: { trial: BulkInvitationResult }) {
  const { bulk } = useTexts('console');
  return (
    <>
      <p class="p-muted">{bulk.previewHint}</p>
      <Counts counts={trial.counts} />
    </>
  );
}

/** Returns each row with its result, or else with what the trial says of it. */
function shownRows({ header, rows }: TableData, trial: BulkRowResult[], { state, results }: Sending): ShownRow[] {
  const nameAt = header.findIndex((title) => title.trim().toLowerCase() === 'name');
  return trial.map((tried) => ({
    ...(results.get(tried.row) ?? tried),
    row: tried.row,
    name: rows[tried.row - 1]?.[nameAt]?.trim() ?? '',
    isUnsent: state !== 'ready' && tried.status === 'invited' && !results.has(tried.row),
  }));
}

function SendButton({ count, run }: { count: number; run: () => Promise<void> }) {
  const { bulk } = useTexts('console');
  if (count === 0) return <p>{bulk.nothingToSend}</p>;
  return (
    <Button kind="primary" onClick={run}>
      {bulk.send(count)}
    </Button>
  );
}

function ResumeButton({ sending: { problem, run } }: { sending: Sending }) {
  const { bulk } = useTexts('console');
  const left = useCountdown(problem && retryAfter(problem), problem);
  return (
    <Button kind="primary" disabled={left > 0} onClick={run}>
      {bulk.resume}
    </Button>
  );
}

function DownloadButton({ rows }: { rows: ShownRow[] }) {
  const { bulk, fields } = useTexts('console');
  const { outcome, errors } = useRowTexts();
  const save = () => {
    const cells = rows.map((row) => [
      String(row.row),
      row.email ?? '',
      row.name,
      row.isUnsent ? bulk.statuses.unsent : outcome(row),
      errors(row).join(' '),
    ]);
    const header = [bulk.row, fields.email, fields.name, bulk.result, bulk.statuses.invalid];
    saveTable(`${bulk.resultFile}.csv`, csvForSpreadsheets([header, ...cells]));
  };
  return <Button onClick={save}>{bulk.download}</Button>;
}

function Progress({ sending: { state, results, problem }, total }: { sending: Sending; total: number }) {
  const { bulk } = useTexts('console');
  const describe = useTableProblem();
  if (state === 'finished') {
    const invited = [...results.values()].filter(({ status }) => status === 'invited').length;
    return (
      <Notice kind="success">
        <p>{bulk.finished(invited)}</p>
      </Notice>
    );
  }
  return (
    <>
      <label class="p-progress">
        <span role="status">{bulk.sending(results.size, total)}</span>
        <progress max={total} value={results.size} />
      </label>
      {state === 'running' && <p class="p-muted p-small">{bulk.keepOpen}</p>}
      {problem && (
        <ProblemNotice problem={problem} sentence={describe(problem)}>
          <p>{bulk.stopped}</p>
        </ProblemNotice>
      )}
    </>
  );
}

/** Lets the browser ask before the page is closed. */
function useWarningBeforeLeaving(isNeeded: boolean): void {
  useLayoutEffect(() => {
    if (!isNeeded) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [isNeeded]);
}
