import { useState } from 'preact/hooks';
import { useTexts } from '../../../app/texts.ts';
import { Button } from '../../../kit/button.tsx';
import { Card } from '../../../kit/card.tsx';
import { Field } from '../../../kit/field.tsx';
import { FileDrop } from '../../../kit/file-drop.tsx';
import { saveTable } from '../../../kit/save-file.ts';
import { csvForSpreadsheets } from './table.ts';

const TEMPLATE = [
  ['email', 'name', 'role', 'locale'],
  ['ann@example.com', 'Ann Baker', 'admin', 'en'],
  ['jorg@example.com', 'Jörg Müller', 'member', 'de'],
];

const TABLES = '.csv,.tsv,.txt,text/csv,text/tab-separated-values';

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
        <FileDrop title={bulk.drop} choose={bulk.choose} kind="primary" accept={TABLES} onFile={onTable} />
        <p class="p-checking" role="status">
          {isChecking && bulk.checking}
        </p>
        <PastedTable onTable={onTable} />
      </Card>
      <Card
        title={bulk.limits.title}
        actions={<Button onClick={() => saveTable('template.csv', csvForSpreadsheets(TEMPLATE))}>{bulk.template}</Button>}
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
