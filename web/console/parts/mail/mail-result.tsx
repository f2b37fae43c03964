import type { Email } from '@portico/client';
import { useTexts } from '../../../app/texts.ts';
import { Badge } from '../../../kit/badge.tsx';
import { MailOutcome } from '../mail-outcome.tsx';
import { DeliveryStatus } from '../status.tsx';

/** What has become of a mail, and whether another one was sent in its place. */
export function MailResult({ mail: { status, detail, retried_by, recipient } }: { mail: Email }) {
  const { mail: texts } = useTexts('settings');
  return (
    <span class="p-cell p-mail-result">
      <span class="p-name-line">
        <DeliveryStatus status={status} />
        {retried_by && <Badge>{texts.retriedTitle}</Badge>}
      </span>
      {status !== 'sent' && (
        <span class="p-muted p-small">
          <MailOutcome detail={detail} />
        </span>
      )}
      {retried_by && (
        <a class="p-small" href={`/console/mail?recipient=${encodeURIComponent(recipient)}`}>
          {texts.toRecipient}
        </a>
      )}
    </span>
  );
}
