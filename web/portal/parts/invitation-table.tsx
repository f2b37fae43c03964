import type { Invitation } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useTexts } from '../../app/texts.ts';
import { Badge } from '../../kit/badge.tsx';
import { DateTime } from '../../kit/date-time.tsx';
import { PersonCell } from '../../kit/person-cell.tsx';
import { DELIVERY_KINDS, INVITATION_KINDS } from '../../kit/status-kinds.ts';
import { Table } from '../../kit/table.tsx';

interface InvitationTableProps {
  invitations: Invitation[];
  actions: (invitation: Invitation) => ComponentChildren;
}

/** A table of invitations with the delivery of their latest mail. */
export function InvitationTable({ invitations, actions }: InvitationTableProps) {
  const { colleagues: texts, roles, role } = useTexts('portal');
  return (
    <Table
      caption={texts.invitations}
      rows={invitations}
      keyOf={({ id }) => id}
      columns={[
        { title: texts.person, role: 'heading', cell: ({ name, email }) => <PersonCell name={name} email={email} /> },
        { title: role, cell: (invitation) => roles[invitation.role] },
        { title: texts.delivery, cell: (invitation) => <Delivery invitation={invitation} /> },
        {
          title: texts.expires,
          cell: ({ status, expires_at }) =>
            status === 'expired' ? <Badge kind={INVITATION_KINDS.expired}>{texts.expired}</Badge> : <DateTime value={expires_at} />,
        },
        { title: texts.actions, role: 'actions', cell: actions },
      ]}
    />
  );
}

function Delivery({ invitation: { delivery, sent_count } }: { invitation: Invitation }) {
  const { colleagues: texts } = useTexts('portal');
  if (!delivery) return <>{texts.sentTimes(sent_count)}</>;
  return (
    <div>
      <Badge kind={DELIVERY_KINDS[delivery.status]}>{texts.deliveries[delivery.status]}</Badge>
      <div class="p-muted p-small">{texts.sentTimes(sent_count)}</div>
    </div>
  );
}
