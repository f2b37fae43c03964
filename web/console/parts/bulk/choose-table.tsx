import { useRef, useState } from 'preact/hooks';
import { useTexts } from '../../../app/texts.ts';
import { Button } from '../../../kit/button.tsx';
import { Card } from '../../../kit/card.tsx';
import { Field } from '../../../kit/field.tsx';
import { saveFile } from './save-file.ts';
import { csvForSpreadsheets } from './table.ts';

const TEMPLATE = [
  ['email', 'name', 'role', 'locale'],
  ['ann@example.com', 'Ann Baker', 'admin', 'en'],
  ['jorg@example.com', 'Jörg Müller', 'member', 'de'],
];

interface ChooseTableProps {
  isChecking: boolean;
  onTable: (table: Blob) => unknown;
}

/** The first step: a table by dropping, choosing or pasting it. */
export function ChooseTable({ isChecking, onTable }: ChooseTableProps) {
  const { bulk } = useTexts('console');
  return (
    <>
      <Card>
        <FileDrop onFile={onTable} />
        <p class="p-checking" role="status">
          {isChecking && bulk.checking}
        </p>
        <PastedTable onTable={onTable} />
      </Card>
      <Card
        title={bulk.limits.title}
        actions={<Button onClick={() => saveFile('template.csv', csvForSpreadsheets(TEMPLATE))}>{bulk.template}</Button>}
      >
        <ul class="p-bullets">
          {[bulk.limits.columns, bulk.limits.format, bulk.limits.size, bulk.limits.perDay].map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      </Card>
    </>
  );
}

function FileDrop({ onFile }: { onFile: (file: Blob) => unknown }) {
  const { bulk } = useTexts('console');
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const take = (files: FileList | null | undefined) => files?.[0] && void onFile(files[0]);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer?.files);
  };
  return (
    <div
      class="p-drop"
      data-over={isOver ? '' : undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <p class="p-empty-title">{bulk.drop}</p>
      <Button kind="primary" onClick={() => input.current?.click()}>
        {bulk.choose}
      </Button>
      <input
        type="file"
        accept=".csv,.tsv,.txt,text/csv,text/tab-separated-values"
        aria-label={bulk.choose}
        ref={input}
        hidden
        onChange={(event) => {
          take(event.currentTarget.files);
          // The same file may be chosen again after it was corrected.
          event.currentTarget.value = '';
        }}
      />
    </div>
  );
}

function PastedTable({ onTable }: { onTable: (table: Blob) => unknown }) {
  const { bulk } = useTexts('console');
  const [text, setText] = useState('');
  return (
    <>
      <Field
        name="table"
        label={bulk.paste}
        hint={bulk.pasteHint}
        required
        control={(attributes) => (
          <textarea
            {...attributes}
            class="p-input p-mono"
            rows={5}
            spellcheck={false}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        )}
      />
      <div class="p-actions">
        <Button disabled={!text.trim()} onClick={async () => onTable(new Blob([text]))}>
          {bulk.checkPasted}
        </Button>
      </div>
    </>
  );
}
