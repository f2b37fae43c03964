import type { InvitationDelivery } from '@portico/client';
import { DeliveryStatus } from '../status.tsx';

/** What has become of the mail of an invitation, and the sentence of the server about it. */
export function Delivery({ delivery }: { delivery: InvitationDelivery | null }) {
  if (!delivery) return null;
  return (
    <span class="p-cell">
      <DeliveryStatus status={delivery.status} />
      {delivery.status !== 'sent' && (
        <span class="p-muted p-small" lang="en" dir="auto">
          {delivery.detail}
        </span>
      )}
    </span>
  );
}
