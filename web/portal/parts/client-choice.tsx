import type { PorticoError } from '@portico/client';
import { useState } from 'preact/hooks';
import { useTexts } from '../../app/texts.ts';
import { Badge } from '../../kit/badge.tsx';
import { ProblemNotice } from '../../kit/problem-notice.tsx';
import { TextField } from '../../kit/text-field.tsx';
import { enterClient } from './enter-client.ts';
import { useSession } from './session.tsx';

/** From how many clients on one can search them. */
const SEARCH_FROM = 8;

/** The clients of the user. A click leads to `address` with that client. */
export function ClientChoice({ address }: { address: string | URL }) {
  const { chooseClient: texts, roles } = useTexts('portal');
  const { client: current, clients } = useSession();
  const [search, setSearch] = useState('');
  const [problem, setProblem] = useState<PorticoError>();
  const found = clients.filter(({ name }) => name.toLowerCase().includes(search.trim().toLowerCase()));
  const enter = async (id: string) => setProblem((await enterClient(id, address)).error);
  return (
    <>
      {clients.length > 1 && <p>{texts.intro}</p>}
      {clients.length >= SEARCH_FROM && (
        <TextField name="search" type="search" label={texts.search} value={search} onInput={setSearch} required />
      )}
      {problem && <ProblemNotice problem={problem} />}
      {found.length === 0 && <p role="status">{texts.noMatch}</p>}
      <ul class="p-choices">
        {found.map(({ id, name, role }) => (
          <li key={id}>
            <button type="button" class="p-choice" onClick={() => void enter(id)}>
              <span class="p-choice-title" dir="auto">
                {name}
              </span>
              <span class="p-muted">{roles[role]}</span>
              {id === current?.id && <Badge kind="accent">{texts.current}</Badge>}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
