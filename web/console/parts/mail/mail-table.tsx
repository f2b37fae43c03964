import type { Email } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useTexts } from '../../../app/texts.ts';
import { Button } from '../../../kit/button.tsx';
import { DateTime } from '../../../kit/date-time.tsx';
import type { Column } from '../../../kit/table.tsx';
import { ListTable, type List } from '../list.tsx';
import { useMay } from '../permissions.ts';
import { MailResult } from './mail-result.tsx';
import { RetryDialog } from './retry-dialog.tsx';

interface MailTableProps {
  list: List<Email>;
  filters: { isFiltered: boolean; clear: () => void };
  empty: ComponentChildren;
}

/** Whether a mail waits to be sent. */
export const isQueued = ({ status }: Email): boolean => status === 'queued';

/** A table of mails, with a button that sends a failed one again. */
export function MailTable(props: MailTableProps) {
  const { mail: texts } = useTexts('settings');
  const { fields } = useTexts('console');
  const mayRetry = useMay('emails:edit');
  const [asked, setAsked] = useState<Email>();
  const actions: Column<Email> = {
    title: fields.actions,
    role: 'actions',
    cell: (mail) =>
      mail.status === 'failed' &&
      !mail.retried_by && (
        <Button small onClick={() => setAsked(mail)} label={texts.retryOf(mail.recipient)}>
          {texts.retry}
        </Button>
      ),
  };
  const columns: Column<Email>[] = [
    { title: texts.recipient, role: 'heading', cell: (mail) => <Recipient mail={mail} /> },
    { title: texts.outcome, cell: (mail) => <MailResult mail={mail} /> },
    { title: texts.requested, cell: (mail) => <Times mail={mail} /> },
    ...(mayRetry ? [actions] : []),
  ];
  return (
    <>
      {props.list.data?.some(({ retried_by }) => retried_by) && <p class="p-hint">{texts.retried}</p>}
      <ListTable {...props} caption={texts.title} columns={columns} />
      {asked && <RetryDialog mail={asked} onClose={() => setAsked(undefined)} />}
    </>
  );
}

function Recipient({ mail: { kind, recipient, client_id } }: { mail: Email }) {
  const { mail: texts } = useTexts('settings');
  const mayReadClients = useMay('clients:read');
  return (
    <span class="p-cell">
      <bdi>{recipient}</bdi>
      <span class="p-muted p-small">{texts.kinds[kind] ?? kind}</span>
      {client_id && mayReadClients && (
        <a class="p-small" href={`/console/clients/${client_id}`}>
          {texts.toClient}
        </a>
      )}
    </span>
  );
}

function Times({ mail: { created_at, sent_at, last_attempt_at, attempts } }: { mail: Email }) {
  const { mail: texts } = useTexts('settings');
  const last = sent_at ?? last_attempt_at;
  return (
    <span class="p-times">
      <DateTime value={created_at} />
      {last && (
        <span class="p-muted p-small">
          {sent_at ? texts.sentAt : texts.lastAttempt} <DateTime value={last} />
        </span>
      )}
      <span class="p-muted p-small">{texts.attempts(attempts)}</span>
    </span>
  );
}
