// Badges for the status of clients, people, invitations and mails.
import type { Client, Invitation, InvitationDelivery, PortalUser } from '@portico/client';
import { useTexts } from '../../app/texts.ts';
import { Badge, type BadgeKind } from '../../kit/badge.tsx';
import { DELIVERY_KINDS, INVITATION_KINDS, MEMBER_KINDS } from '../../kit/status-kinds.ts';

const CLIENT_KINDS: Record<Client['status'], BadgeKind> = { active: 'success', past_due: 'warning', archived: 'neutral' };

/** The status of a client. */
export function ClientStatus({ status }: { status: Client['status'] }) {
  return <Badge kind={CLIENT_KINDS[status]}>{useTexts('console').clientStatuses[status]}</Badge>;
}

/** The status of a person at a client. */
export function MemberStatus({ status }: { status: PortalUser['status'] }) {
  return <Badge kind={MEMBER_KINDS[status]}>{useTexts('console').memberStatuses[status]}</Badge>;
}

/** The status of an invitation. */
export function InvitationStatus({ status }: { status: Invitation['status'] }) {
  return <Badge kind={INVITATION_KINDS[status]}>{useTexts('console').invitationStatuses[status]}</Badge>;
}

/** The status of a mail. */
export function DeliveryStatus({ status }: { status: InvitationDelivery['status'] }) {
  return <Badge kind={DELIVERY_KINDS[status]}>{useTexts('console').deliveryStatuses[status]}</Badge>;
}
