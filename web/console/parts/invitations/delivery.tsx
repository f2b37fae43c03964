import type { InvitationDelivery } from '@portico/client';
import { MailOutcome } from '../mail-outcome.tsx';
import { DeliveryStatus } from '../status.tsx';

/** What has become of the mail of an invitation. */
export function Delivery({ delivery }: { delivery: InvitationDelivery | null }) {
  if (!delivery) return null;
  return (
    <span class="p-cell">
      <DeliveryStatus status={delivery.status} />
      {delivery.status !== 'sent' && (
        <span class="p-muted p-small">
          <MailOutcome detail={delivery.detail} />
        </span>
      )}
    </span>
  );
}
