import { useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type { PortalUser } from '@portico/client';
import { useTexts } from '../../../app/texts.ts';
import { DateTime } from '../../../kit/date-time.tsx';
import { FilterBar, SearchFilter, SelectFilter } from '../../../kit/filters.tsx';
import { PersonCell } from '../../../kit/person-cell.tsx';
import { RowMenu } from '../../../kit/row-menu.tsx';
import type { Column } from '../../../kit/table.tsx';
import { choicesOf } from '../choices.ts';
import type { Filters } from '../filters.ts';
import { ListTable, type List } from '../list.tsx';
import { useMay } from '../permissions.ts';
import { MemberStatus } from '../status.tsx';
import { actsFor, PersonActDialog, type PersonActName } from './person-act.tsx';

/** The filters of a list of people. */
export const PERSON_FILTERS = { q: 'search', status: ['invited', 'active', 'disabled'] } as const;

interface PeopleListProps<Person extends PortalUser> {
  list: List<Person>;
  caption: string;
  filters: Filters<typeof PERSON_FILTERS>;
  empty: ComponentChildren;
  clientIdOf: (person: Person) => string;
  /** Further columns after the first one. */
  columns?: Column<Person>[];
}

/** A list of people with its filters, and with the acts on each person. */
export function PeopleList<Person extends PortalUser>({ columns = [], clientIdOf, ...table }: PeopleListProps<Person>) {
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
      <PersonFilters {...table.filters} />
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

function PersonFilters({ values, set, isFiltered, clear }: Filters<typeof PERSON_FILTERS>) {
  const { fields, memberStatuses } = useTexts('console');
  return (
    <FilterBar onClear={isFiltered ? clear : undefined}>
      <SearchFilter label={fields.search} hint={fields.searchPeople} value={values.q} onChange={(q) => set({ q })} />
      <SelectFilter
        label={fields.status}
        choices={choicesOf(memberStatuses)}
        value={values.status}
        onChange={(status) => set({ status })}
      />
    </FilterBar>
  );
}
