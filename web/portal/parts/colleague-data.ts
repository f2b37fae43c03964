// The colleagues of the signed-in administrator and their invitations.
import { useInfiniteQuery } from '@tanstack/preact-query';
import { listColleagueInvitations, listColleagues, type Invitation, type InvitationStatus } from '@portico/client';
import { dataOf, queries } from '../../app/queries.tsx';
import { MIN_SEARCH_LENGTH } from '../../app/search.ts';

/** How often the delivery of a mail that waits is asked for. */
const DELIVERY_INTERVAL_MS = 3_000;

/** Lists the colleagues whose name or address matches `search`. A search of one character lists all. */
export function useColleagues(search: string) {
  const q = search.trim().length < MIN_SEARCH_LENGTH ? undefined : search.trim();
  return useInfiniteQuery({
    queryKey: ['colleagues', q],
    queryFn: ({ pageParam: cursor }) => dataOf(listColleagues({ query: { ...(q && { q }), ...(cursor && { cursor }) } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor }) => next_cursor ?? undefined,
    placeholderData: (previous) => previous,
  });
}

/** Lists the invitations of one status, with the delivery of their mails. */
export function useInvitations(status: InvitationStatus) {
  return useInfiniteQuery({
    queryKey: ['invitations', status],
    queryFn: ({ pageParam: cursor }) => dataOf(listColleagueInvitations({ query: { status, ...(cursor && { cursor }) } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor }) => next_cursor ?? undefined,
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ data }) => data.some(isQueued)) ? DELIVERY_INTERVAL_MS : false,
  });
}

const isQueued = ({ delivery }: Invitation) => delivery?.status === 'queued';

/** Loads colleagues and invitations again, after a change. */
export async function refreshColleagues(): Promise<void> {
  await Promise.all([
    queries.invalidateQueries({ queryKey: ['colleagues'] }),
    queries.invalidateQueries({ queryKey: ['invitations'] }),
  ]);
}
