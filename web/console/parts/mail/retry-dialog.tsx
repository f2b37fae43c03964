import { retryEmail, type Email } from '@portico/client';
import { useTexts } from '../../../app/texts.ts';
import { ConfirmDialog } from '../../../kit/confirm-dialog.tsx';
import { Notice } from '../../../kit/notice.tsx';
import { reloadMails } from '../changes.ts';
import { useOutcome } from '../outcome.tsx';

/** The dialog that asks before a failed mail is sent again. */
export function RetryDialog({ mail, onClose }: { mail: Email; onClose: () => void }) {
  const { mail: texts } = useTexts('settings');
  const say = useOutcome();
  const done = () => {
    say(texts.retryDone(mail.recipient));
    return reloadMails();
  };
  return (
    <ConfirmDialog
      title={texts.retryTitle}
      confirm={texts.retry}
      kind="primary"
      act={() => retryEmail({ path: { email_id: mail.id } })}
      describe={({ code }) => (code === 'conflict' ? texts.retryConflict : undefined)}
      onDone={done}
      onClose={onClose}
    >
      <p>{texts.retryBody(mail.recipient)}</p>
      {mail.reason === 'outcome_unknown' && (
        <Notice kind="warning">
          <p>{texts.mayHaveArrived}</p>
        </Notice>
      )}
    </ConfirmDialog>
  );
}
