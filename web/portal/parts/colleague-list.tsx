import type { PortalUser } from '@portico/client';
import { useState } from 'preact/hooks';
import { useDebounced } from '../../app/debounced.ts';
import { SEARCH_DELAY_MS } from '../../app/search.ts';
import { useTexts } from '../../app/texts.ts';
import { Badge } from '../../kit/badge.tsx';
import { DateTime } from '../../kit/date-time.tsx';
import { EmptyState } from '../../kit/empty-state.tsx';
import { LoadMore } from '../../kit/load-more.tsx';
import { Loaded } from '../../kit/loaded.tsx';
import { PersonCell } from '../../kit/person-cell.tsx';
import { MEMBER_KINDS } from '../../kit/status-kinds.ts';
import { Table, type Column } from '../../kit/table.tsx';
import { TextField } from '../../kit/text-field.tsx';
import { ColleagueMenu } from './colleague-menu.tsx';
import { useColleagues } from './colleague-data.ts';
import { useSession } from './session.tsx';

/** The people of the client, with a search and a menu for each. */
export function ColleagueList({ onDone }: { onDone: (sentence: string) => unknown }) {
  const { colleagues: texts } = useTexts('portal');
  const [search, setSearch] = useState('');
  const colleagues = useColleagues(useDebounced(search, SEARCH_DELAY_MS));
  const columns = useColumns(onDone);
  return (
    <>
      <TextField name="search" type="search" label={texts.search} value={search} onInput={setSearch} required />
      <Loaded query={colleagues} lines={5}>
        {({ pages }) => {
          const people = pages.flatMap(({ data }) => data);
          if (people.length === 0) return <EmptyState title={texts.noMatch} />;
          return (
            <>
              <Table caption={texts.people} columns={columns} rows={people} keyOf={({ id }) => id} />
              {people.length === 1 && !search && <EmptyState title={texts.empty}>{texts.emptyHint}</EmptyState>}
              <LoadMore query={colleagues} />
            </>
          );
        }}
      </Loaded>
    </>
  );
}

function useColumns(onDone: (sentence: string) => unknown): Column<PortalUser>[] {
  const { colleagues: texts, roles, role } = useTexts('portal');
  const { user } = useSession();
  const isOwn = ({ email }: PortalUser) => email === user.email;
  return [
    {
      title: texts.person,
      role: 'heading',
      cell: (person) => <PersonCell {...person}>{isOwn(person) && <Badge kind="accent">{texts.you}</Badge>}</PersonCell>,
    },
    { title: role, cell: (person) => roles[person.role] },
    { title: texts.status, cell: ({ status }) => <Badge kind={MEMBER_KINDS[status]}>{texts.statuses[status]}</Badge> },
    {
      title: texts.lastSignIn,
      cell: ({ last_sign_in_at }) => (last_sign_in_at ? <DateTime value={last_sign_in_at} /> : texts.never),
    },
    {
      title: texts.actions,
      role: 'actions',
      cell: (person) => !isOwn(person) && <ColleagueMenu person={person} onDone={onDone} />,
    },
  ];
}
