import { useQuery } from '@tanstack/preact-query';
import { retryEmails, type RetriedEmails } from '@portico/client';
import { useTexts } from '../../../app/texts.ts';
import { Button } from '../../../kit/button.tsx';
import { ConfirmDialog } from '../../../kit/confirm-dialog.tsx';
import { Dialog } from '../../../kit/dialog.tsx';
import { Loaded } from '../../../kit/loaded.tsx';
import { reloadMails } from '../changes.ts';
import { useOutcome } from '../outcome.tsx';
import { countFailed, type FailedCount, type MailFilters } from './count-failed.ts';

interface RetryAllProps {
  filters: MailFilters;
  onClose: () => void;
}

/** The dialog that counts the failed mails that match the filters, and sends them again. */
export function RetryAllDialog({ filters, onClose }: RetryAllProps) {
  const { mail: texts } = useTexts('settings');
  const count = useQuery({ queryKey: ['failed mails', filters], queryFn: () => countFailed(filters), gcTime: 0 });
  if (!count.data || count.data.possible === 0) {
    return (
      <Dialog title={texts.retryAllTitle} onClose={onClose}>
        <Loaded query={count} lines={2}>
          {(counted) => <NothingToRetry count={counted} onClose={onClose} />}
        </Loaded>
      </Dialog>
    );
  }
  return <ConfirmRetry filters={filters} count={count.data} onClose={onClose} />;
}

function NothingToRetry({ count, onClose }: { count: FailedCount; onClose: () => void }) {
  const { mail: texts } = useTexts('settings');
  const { close } = useTexts('signedIn');
  return (
    <div class="p-stack">
      <p>{texts.countNone}</p>
      {count.unknown > 0 && <p>{texts.countUnknown(count.unknown)}</p>}
      <div class="p-actions">
        <Button onClick={onClose}>{close}</Button>
      </div>
    </div>
  );
}

function ConfirmRetry({ filters, count, onClose }: RetryAllProps & { count: FailedCount }) {
  const { mail: texts } = useTexts('settings');
  const say = useOutcome();
  const done = (result: RetriedEmails | undefined) => {
    if (result) say(sentenceFor(result, texts));
    return reloadMails();
  };
  const isFiltered = Object.values(filters).some(Boolean);
  return (
    <ConfirmDialog
      title={texts.retryAllTitle}
      confirm={texts.retryAll}
      kind="primary"
      act={() => retryEmails({ body: filters })}
      onDone={done}
      onClose={onClose}
    >
      <p>{isFiltered ? texts.retryAllFiltered : texts.retryAllEverything}</p>
      <p>
        <strong>{count.hasMore ? texts.countMore(count.possible) : texts.count(count.possible)}</strong>{' '}
        {count.unknown > 0 && texts.countUnknown(count.unknown)}
      </p>
    </ConfirmDialog>
  );
}

type Texts = ReturnType<typeof useTexts<'settings'>>['mail'];

function sentenceFor({ retried, skipped }: RetriedEmails, texts: Texts): string {
  const first = retried > 0 ? texts.retryAllDone(retried) : texts.nothingRetried;
  return skipped > 0 ? `${first} ${texts.skipped(skipped)}` : first;
}
