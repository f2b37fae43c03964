import { keepPreviousData, useQuery } from '@tanstack/preact-query';
import { getClient, listClients, type Client } from '@portico/client';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { dataOf } from '../../../app/queries.tsx';
import { MIN_SEARCH_LENGTH } from '../../../app/search.ts';
import { useTexts } from '../../../app/texts.ts';
import { Labelled } from '../../../kit/filters.tsx';

/** How many clients are offered. */
const MAX_OFFERED = 20;

/** How many characters of an id tell clients apart. Those at the end of a UUIDv7 are random, the first are the time. */
const ID_LENGTH = 8;

/** Returns the name of a client with what tells it from another one of the same name. */
const labelOf = ({ name, external_ref, id }: Client): string => `${name} · ${external_ref || `…${id.slice(-ID_LENGTH)}`}`;

/** A filter for one client. The user types a part of the name and chooses one of the clients that the browser offers. */
export function ClientFilter({ value = '', onChange }: { value: string | undefined; onChange: (id: string) => void }) {
  const { audit: texts } = useTexts('settings');
  const [text, setText] = useState('');
  const [isLeft, setLeft] = useState(false);
  const listId = useId();
  const reported = useRef('');
  const chosen = useClientLabel(value);
  useEffect(() => {
    // The address has changed by other means than this field, whose text stays as it was typed.
    if (value === reported.current || (value && !chosen)) return;
    reported.current = value;
    setText(chosen ?? '');
  }, [value, chosen]);
  const q = text.trim();
  const found = useQuery({
    queryKey: ['clients', 'offered', q],
    queryFn: () => dataOf(listClients({ query: { q, limit: MAX_OFFERED } })),
    enabled: q.length >= MIN_SEARCH_LENGTH && q !== chosen,
    placeholderData: keepPreviousData,
  });
  const offered = found.data?.data ?? [];
  const input = (typed: string) => {
    setText(typed);
    setLeft(false);
    const id = offered.find((client) => labelOf(client) === typed.trim())?.id ?? '';
    if (id === value) return;
    reported.current = id;
    onChange(id);
  };
  const isUnknown = isLeft && q !== '' && !value;
  return (
    <Labelled label={texts.client} problem={isUnknown ? texts.clientUnknown : undefined} wide>
      {(id) => (
        <>
          <input
            id={id}
            class="p-input"
            list={listId}
            dir="auto"
            autocomplete="off"
            placeholder={texts.clientHint}
            value={text}
            aria-invalid={isUnknown ? 'true' : undefined}
            aria-describedby={isUnknown ? `${id}-problem` : undefined}
            onInput={(event) => input(event.currentTarget.value)}
            onBlur={() => setLeft(true)}
          />
          <datalist id={listId}>
            {offered.map((client) => (
              <option key={client.id} value={labelOf(client)} />
            ))}
          </datalist>
        </>
      )}
    </Labelled>
  );
}

/** Returns the label of the chosen client, or its id if there is no such client. */
function useClientLabel(id: string): string | undefined {
  const client = useQuery({
    queryKey: ['clients', id],
    queryFn: () => dataOf(getClient({ path: { client_id: id } })),
    enabled: id !== '',
  });
  if (!id) return undefined;
  if (client.data) return labelOf(client.data);
  return client.error ? id : undefined;
}
