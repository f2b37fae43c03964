import { useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type { PortalUser } from '@portico/client';
import { useTexts } from '../../../app/texts.ts';
import { DateTime } from '../../../kit/date-time.tsx';
import { RowMenu } from '../../../kit/row-menu.tsx';
import type { Column } from '../../../kit/table.tsx';
import { ListTable, type List } from '../list.tsx';
import { useMay } from '../permissions.ts';
import { MemberStatus } from '../status.tsx';
import { actsFor, PersonActDialog, type PersonActName } from './person-act.tsx';
import { PersonCell } from './person-cell.tsx';

interface PeopleTableProps<Person extends PortalUser> {
  list: List<Person>;
  caption: string;
  filters: { isFiltered: boolean; clear: () => void };
  empty: ComponentChildren;
  clientIdOf: (person: Person) => string;
  /** Further columns after the first one. */
  columns?: Column<Person>[];
}

/** A table of people, with their acts. */
export function PeopleTable<Person extends PortalUser>({ columns = [], clientIdOf, ...table }: PeopleTableProps<Person>) {
  const { actionsFor, fields, memberRoles, people } = useTexts('console');
  const mayEdit = useMay('clients:edit');
  const [asked, setAsked] = useState<{ act: PersonActName; person: Person }>();
  const actions: Column<Person> = {
    title: fields.actions,
    role: 'actions',
    cell: (person) => (
      <RowMenu
        label={actionsFor(person.name)}
        actions={actsFor(person).map((act) => ({ label: people[act], onClick: () => setAsked({ act, person }) }))}
      />
    ),
  };
  const all: Column<Person>[] = [
    { title: fields.person, role: 'heading', cell: (person) => <PersonCell {...person} /> },
    ...columns,
    { title: fields.role, cell: ({ role }) => memberRoles[role] },
    { title: fields.status, cell: ({ status }) => <MemberStatus status={status} /> },
    {
      title: fields.lastSignIn,
      cell: ({ last_sign_in_at: at }) => (at ? <DateTime value={at} /> : <span class="p-muted">{fields.never}</span>),
    },
    ...(mayEdit ? [actions] : []),
  ];
  return (
    <>
      <ListTable {...table} columns={all} />
      {asked && (
        <PersonActDialog
          name={asked.act}
          person={{ ...asked.person, clientId: clientIdOf(asked.person) }}
          onClose={() => setAsked(undefined)}
        />
      )}
    </>
  );
}
