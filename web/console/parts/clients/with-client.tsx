import { useQuery } from '@tanstack/preact-query';
import { getClient, type Client } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { dataOf } from '../../../app/queries.tsx';
import { useTexts } from '../../../app/texts.ts';
import { Loaded } from '../../../kit/loaded.tsx';
import { PageHead } from '../../../kit/page-head.tsx';

/** Loads the client of a page. */
export function WithClient({ id, children }: { id: string; children: (client: Client) => ComponentChildren }) {
  const { navigation } = useTexts('console');
  const query = useQuery({ queryKey: ['clients', id], queryFn: () => dataOf(getClient({ path: { client_id: id } })) });
  return (
    <>
      {query.error && !query.data && <PageHead title={navigation.clients} />}
      <Loaded query={query} lines={8}>
        {children}
      </Loaded>
    </>
  );
}
