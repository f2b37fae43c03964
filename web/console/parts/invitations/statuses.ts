// The values of the filters of invitations.
import type { DeliveryStatus, InvitationStatus } from '@portico/client';
import { valuesOf } from '../../../app/values.ts';

export const INVITATION_STATUSES = valuesOf<InvitationStatus>({
  pending: true,
  accepted: true,
  cancelled: true,
  expired: true,
});
export const DELIVERY_STATUSES = valuesOf<DeliveryStatus>({ queued: true, sent: true, failed: true, suppressed: true });
