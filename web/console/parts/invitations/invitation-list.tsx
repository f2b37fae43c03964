import type { DeliveryStatus, Invitation } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useTexts } from '../../../app/texts.ts';
import { valuesOf } from '../../../app/values.ts';
import { DateTime } from '../../../kit/date-time.tsx';
import { FilterBar, SearchFilter, SelectFilter } from '../../../kit/filters.tsx';
import { PersonCell } from '../../../kit/person-cell.tsx';
import { RowMenu } from '../../../kit/row-menu.tsx';
import type { Column } from '../../../kit/table.tsx';
import { choicesOf } from '../choices.ts';
import type { Filters } from '../filters.ts';
import { ListTable, type List } from '../list.tsx';
import { useMay } from '../permissions.ts';
import { InvitationStatus } from '../status.tsx';
import { Delivery } from './delivery.tsx';
import { actsFor, InvitationActDialog, type InvitationActName } from './invitation-act.tsx';

/** The filters of a list of invitations. */
export const INVITATION_FILTERS = {
  status: valuesOf<Invitation['status']>({ pending: true, accepted: true, cancelled: true, expired: true }),
  delivery: valuesOf<DeliveryStatus>({ queued: true, sent: true, failed: true, suppressed: true }),
} as const;

/** The filters of a list that can be searched too. */
export const SEARCHED_INVITATION_FILTERS = { q: 'search', ...INVITATION_FILTERS } as const;

interface InvitationListProps<Item extends Invitation> {
  list: List<Item>;
  caption: string;
  filters: Filters<typeof SEARCHED_INVITATION_FILTERS>;
  /** Whether the list has a search. */
  isSearchable?: boolean;
  empty: ComponentChildren;
  clientIdOf: (invitation: Item) => string;
  /** Further columns after the first one. */
  columns?: Column<Item>[];
}

/** Whether the mail of an invitation waits to be sent. */
export const isQueued = ({ delivery }: Invitation): boolean => delivery?.status === 'queued';

/** A list of invitations with its filters, the state of the mails, and the acts on each invitation. */
export function InvitationList<Item extends Invitation>({ columns = [], clientIdOf, isSearchable, ...table }: InvitationListProps<Item>) {
  const { actionsFor, fields, invitations } = useTexts('console');
  const mayEdit = useMay('clients:edit');
  const [asked, setAsked] = useState<{ act: InvitationActName; invitation: Item }>();
  const actions: Column<Item> = {
    title: fields.actions,
    role: 'actions',
    cell: (invitation) => (
      <RowMenu
        label={actionsFor(invitation.email)}
        actions={actsFor(invitation).map((act) => ({ label: invitations[act], onClick: () => setAsked({ act, invitation }) }))}
      />
    ),
  };
  const all: Column<Item>[] = [
    { title: fields.person, role: 'heading', cell: (invitation) => <PersonCell {...invitation} /> },
    ...columns,
    { title: fields.status, cell: (invitation) => <Status invitation={invitation} /> },
    { title: fields.delivery, cell: ({ delivery }) => <Delivery delivery={delivery} /> },
    { title: fields.sentAt, cell: (invitation) => <LastSent invitation={invitation} /> },
    ...(mayEdit ? [actions] : []),
  ];
  return (
    <>
      <InvitationFilters {...table.filters} isSearchable={isSearchable} />
      <ListTable {...table} columns={all} />
      {asked && (
        <InvitationActDialog
          name={asked.act}
          invitation={{ ...asked.invitation, clientId: clientIdOf(asked.invitation) }}
          onClose={() => setAsked(undefined)}
        />
      )}
    </>
  );
}

type InvitationFiltersProps = Pick<InvitationListProps<Invitation>, 'isSearchable'> & Filters<typeof SEARCHED_INVITATION_FILTERS>;

function InvitationFilters({ values, set, isFiltered, clear, isSearchable }: InvitationFiltersProps) {
  const { fields, invitationStatuses, deliveryStatuses } = useTexts('console');
  return (
    <FilterBar onClear={isFiltered ? clear : undefined}>
      {isSearchable && <SearchFilter label={fields.search} hint={fields.searchPeople} value={values.q} onChange={(q) => set({ q })} />}
      <SelectFilter
        label={fields.status}
        choices={choicesOf(invitationStatuses)}
        value={values.status}
        onChange={(status) => set({ status })}
      />
      <SelectFilter
        label={fields.delivery}
        choices={choicesOf(deliveryStatuses)}
        value={values.delivery}
        onChange={(delivery) => set({ delivery })}
      />
    </FilterBar>
  );
}

function Status({ invitation: { status, mode, expires_at } }: { invitation: Invitation }) {
  const { invitations, modes } = useTexts('console');
  return (
    <span class="p-cell">
      <InvitationStatus status={status} />
      <span class="p-muted p-small">
        {status === 'pending' ? (
          <>
            {invitations.expiresAt} <DateTime value={expires_at} dateOnly />
          </>
        ) : (
          modes[mode]
        )}
      </span>
    </span>
  );
}

function LastSent({ invitation: { last_sent_at, sent_count } }: { invitation: Invitation }) {
  const { invitations } = useTexts('console');
  return (
    <span class="p-cell">
      <DateTime value={last_sent_at} />
      {sent_count > 1 && <span class="p-muted p-small">{invitations.sentTimes(sent_count)}</span>}
    </span>
  );
}
