// Receives the export of the audit log.
import { exportAuditEvents, type ExportAuditEventsData, type PorticoError } from '@portico/client';

/** The largest export that a page keeps in memory. */
export const MAX_MEGABYTES = 200;

/** What has become of an export. */
export type Download =
  | { state: 'complete'; file: Blob; count: number }
  | { state: 'incomplete' | 'too_large' | 'stopped' }
  | { state: 'refused'; problem: PorticoError };

const NEW_LINE = 10;

/** Receives the events that match a query. `onProgress` receives the number of lines so far. */
export async function download(
  query: ExportAuditEventsData['query'],
  signal: AbortSignal,
  onProgress: (lines: number) => void,
): Promise<Download> {
  const { data, error } = await exportAuditEvents({ query, signal, parseAs: 'stream' });
  if (signal.aborted) return { state: 'stopped' };
  if (error) return { state: 'refused', problem: error };
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let [bytes, lines] = [0, 0];
  try {
    for await (const part of partsOf(data as unknown as ReadableStream<Uint8Array<ArrayBuffer>>)) {
      parts.push(part);
      bytes += part.length;
      lines += part.filter((byte) => byte === NEW_LINE).length;
      if (bytes > MAX_MEGABYTES * 1_000_000) return { state: 'too_large' };
      onProgress(lines);
    }
  } catch {
    return { state: signal.aborted ? 'stopped' : 'incomplete' };
  }
  const file = new Blob(parts, { type: 'application/x-ndjson' });
  const count = await countAtEnd(file);
  return count === undefined ? { state: 'incomplete' } : { state: 'complete', file, count };
}

/** Yields what a stream brings. Ends the stream when the caller stops. Safari cannot iterate over a stream. */
async function* partsOf<Part>(stream: ReadableStream<Part>): AsyncGenerator<Part> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** The last line of an export is shorter than this. */
const MAX_LAST_LINE = 100;

/** Returns the number of events that the last line names, or `undefined` if the export was cut off. */
async function countAtEnd(file: Blob): Promise<number | undefined> {
  const end = await file.slice(-MAX_LAST_LINE).text();
  const found = /(?:^|\n)\{"end":true,"count":(\d+)\}\n?$/.exec(end);
  return found ? Number(found[1]) : undefined;
}
