import type { Email } from '@portico/client';
import { useTexts } from '../../../app/texts.ts';
import { MailOutcome } from '../mail-outcome.tsx';
import { DeliveryStatus } from '../status.tsx';

/** What has become of a mail, and whether another one was sent in its place. */
export function MailResult({ mail }: { mail: Email }) {
  return (
    <span class="p-cell">
      <DeliveryStatus status={mail.status} />
      <span class="p-muted p-small">
        <MailOutcome detail={mail.detail} />
      </span>
      {mail.retried_by && <Retried recipient={mail.recipient} />}
    </span>
  );
}

function Retried({ recipient }: { recipient: string }) {
  const { mail: texts } = useTexts('settings');
  return (
    <span class="p-cell p-small">
      <span>
        <strong>{texts.retriedTitle}.</strong> {texts.retried}
      </span>
      <a href={`/console/mail?recipient=${encodeURIComponent(recipient)}`}>{texts.toRecipient}</a>
    </span>
  );
}
