// The look of each status, which is the same in both apps.
import type { Invitation, InvitationDelivery, PortalUser } from '@portico/client';
import type { BadgeKind } from './badge.tsx';

/** The status of a person at a client. */
export const MEMBER_KINDS: Record<PortalUser['status'], BadgeKind> = { active: 'success', invited: 'warning', disabled: 'neutral' };

/** The status of an invitation. */
export const INVITATION_KINDS: Record<Invitation['status'], BadgeKind> = {
  accepted: 'success',
  pending: 'warning',
  cancelled: 'neutral',
  expired: 'neutral',
};

/** The status of a mail. */
export const DELIVERY_KINDS: Record<InvitationDelivery['status'], BadgeKind> = {
  sent: 'success',
  queued: 'warning',
  failed: 'danger',
  suppressed: 'neutral',
};
