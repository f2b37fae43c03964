// Sends the rows of a table in parts, so that the page can show how far it is.
import type { BulkRowResult, PorticoError } from '@portico/client';
import { useRef, useState } from 'preact/hooks';
import { loadTexts, useLocale } from '../../../app/texts.ts';
import { reloadPeople } from '../changes.ts';
import { inviteTable } from './invite-table.ts';
import { csvOf, type TableData } from './table.ts';

const ROWS_PER_REQUEST = 50;

/** Rows that one request sends. Its key makes it safe to send again after a lost answer. */
interface Part {
  /** The numbers of the rows, from 1. */
  rows: number[];
  key: string;
}

/** How far the sending of a table is. */
export interface Sending {
  state: 'ready' | 'running' | 'stopped' | 'finished';
  /** The results so far, under the numbers of the rows. */
  results: Map<number, BulkRowResult>;
  /** Why the sending has stopped. */
  problem: PorticoError | undefined;
  /** Sends the rows that were not sent yet. */
  run: () => Promise<void>;
}

/** Returns the sending of the rows with these numbers. */
export function useSending(clientId: string, table: TableData, rows: number[]): Sending {
  const locale = useLocale();
  const waiting = useRef<Part[]>();
  waiting.current ??= partsOf(rows);
  const parts = waiting.current;
  const [state, setState] = useState<Sending['state']>('ready');
  const [results, setResults] = useState<Map<number, BulkRowResult>>(new Map());
  const [problem, setProblem] = useState<PorticoError>();

  const run = async () => {
    setState('running');
    setProblem(undefined);
    await loadTexts(locale, ['problems']);
    for (let part = parts[0]; part; part = parts[0]) {
      const { data, error } = await inviteTable(clientId, csvOfPart(table, part), { idempotencyKey: part.key });
      if (error) {
        setProblem(error);
        return setState('stopped');
      }
      addResults(part, data?.rows ?? []);
      parts.shift();
    }
    setState('finished');
    await reloadPeople();
  };
  const addResults = (part: Part, sent: BulkRowResult[]) =>
    setResults((before) => new Map([...before, ...sent.map((result, index) => [part.rows[index] ?? 0, result] as const)]));
  return { state, results, problem, run };
}

function partsOf(rows: number[]): Part[] {
  const count = Math.ceil(rows.length / ROWS_PER_REQUEST);
  return Array.from({ length: count }, (_, index) => ({
    rows: rows.slice(index * ROWS_PER_REQUEST, (index + 1) * ROWS_PER_REQUEST),
    key: crypto.randomUUID(),
  }));
}

const csvOfPart = ({ header, rows }: TableData, part: Part): string =>
  csvOf([header, ...part.rows.map((number) => rows[number - 1] ?? [])]);
