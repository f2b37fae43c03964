import type { ExportAuditEventsData } from '@portico/client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useTexts } from '../../../app/texts.ts';
import { Button } from '../../../kit/button.tsx';
import { Card } from '../../../kit/card.tsx';
import { Notice } from '../../../kit/notice.tsx';
import { ProblemNotice } from '../../../kit/problem-notice.tsx';
import { saveFile } from '../../../kit/save-file.ts';
import { download, MAX_MEGABYTES, type Download } from './download.ts';

/** Saves the events that match the filters as a file. */
export function Export({ query }: { query: ExportAuditEventsData['query'] }) {
  const { audit: texts } = useTexts('settings');
  const running = useRef<AbortController>();
  const [lines, setLines] = useState<number>();
  const [result, setResult] = useState<Download>();
  useEffect(() => () => running.current?.abort(), []);

  const start = async () => {
    const controller = new AbortController();
    running.current = controller;
    setResult(undefined);
    setLines(0);
    const received = await download(query, controller.signal, setLines);
    setLines(undefined);
    setResult(received);
    if (received.state === 'complete') saveFile(`audit-log-${new Date().toISOString().slice(0, 10)}.ndjson`, received.file);
  };
  return (
    <Card title={texts.export}>
      <p class="p-muted">{texts.exportHint}</p>
      <div class="p-actions">
        <Button onClick={start}>{texts.export}</Button>
        {lines !== undefined && (
          <Button kind="plain" onClick={() => running.current?.abort()}>
            {texts.stop}
          </Button>
        )}
        {lines !== undefined && <span>{texts.exporting(lines)}</span>}
      </div>
      {result && <ExportResult result={result} />}
    </Card>
  );
}

function ExportResult({ result }: { result: Download }) {
  const { audit: texts } = useTexts('settings');
  if (result.state === 'stopped') return null;
  if (result.state === 'refused') {
    const sentence = result.problem.code === 'overloaded' ? texts.exportBusy : undefined;
    return <ProblemNotice problem={result.problem} sentence={sentence} />;
  }
  if (result.state === 'complete') {
    return (
      <Notice kind="success">
        <p>{texts.exported(result.count)}</p>
      </Notice>
    );
  }
  return (
    <Notice kind="danger">
      <p>{result.state === 'too_large' ? texts.exportTooLarge(MAX_MEGABYTES) : texts.exportIncomplete}</p>
    </Notice>
  );
}
