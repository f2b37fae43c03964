// Badges for the status of clients, people, invitations and mails.
import type { Client, Invitation, InvitationDelivery, PortalUser } from '@portico/client';
import { useTexts } from '../../app/texts.ts';
import { Badge } from '../../kit/badge.tsx';

type Kind = 'neutral' | 'success' | 'warning' | 'danger';

const CLIENT: Record<Client['status'], Kind> = { active: 'success', past_due: 'warning', archived: 'neutral' };
const MEMBER: Record<PortalUser['status'], Kind> = { active: 'success', invited: 'warning', disabled: 'neutral' };
const INVITATION: Record<Invitation['status'], Kind> = {
  accepted: 'success',
  pending: 'warning',
  cancelled: 'neutral',
  expired: 'neutral',
};
const DELIVERY: Record<InvitationDelivery['status'], Kind> = {
  sent: 'success',
  queued: 'warning',
  failed: 'danger',
  suppressed: 'neutral',
};

/** The status of a client. */
export function ClientStatus({ status }: { status: Client['status'] }) {
  return <Badge kind={CLIENT[status]}>{useTexts('console').clientStatuses[status]}</Badge>;
}

/** The status of a person at a client. */
export function MemberStatus({ status }: { status: PortalUser['status'] }) {
  return <Badge kind={MEMBER[status]}>{useTexts('console').memberStatuses[status]}</Badge>;
}

/** The status of an invitation. */
export function InvitationStatus({ status }: { status: Invitation['status'] }) {
  return <Badge kind={INVITATION[status]}>{useTexts('console').invitationStatuses[status]}</Badge>;
}

/** The status of a mail. */
export function DeliveryStatus({ status }: { status: InvitationDelivery['status'] }) {
  return <Badge kind={DELIVERY[status]}>{useTexts('console').deliveryStatuses[status]}</Badge>;
}
