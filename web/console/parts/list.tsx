// A list of the API that is loaded page by page.
import { keepPreviousData, useInfiniteQuery } from '@tanstack/preact-query';
import type { PorticoError } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { dataOf } from '../../app/queries.tsx';
import { useTexts } from '../../app/texts.ts';
import { Button } from '../../kit/button.tsx';
import { EmptyState } from '../../kit/empty-state.tsx';
import type { Result } from '../../app/call.ts';
import { LoadMore } from '../../kit/load-more.tsx';
import { Loaded } from '../../kit/loaded.tsx';
import { Table, type Column } from '../../kit/table.tsx';

/** One page of a list, as every list of the API answers. */
interface ListPage<Item> {
  data: Item[];
  next_cursor: string | null;
}

/** The entries that are loaded so far, and how to load more. */
export interface List<Item> {
  data: Item[] | undefined;
  error: PorticoError | null;
  refetch: () => Promise<unknown>;
  hasNextPage: boolean;
  fetchNextPage: () => Promise<unknown>;
  /** Whether the entries are those of the former filters, because the new ones are loading. */
  isPlaceholderData: boolean;
}

/** How often a list is loaded again that has an entry that will change soon. */
const RELOAD_INTERVAL_MS = 5000;

/**
 * Loads a list. `key` begins with the name of the list, so that `queries.invalidateQueries({ queryKey: [name] })` loads
 * it again, and contains all that `load` depends on. While `isChanging` is true of an entry, the list is loaded again at
 * intervals.
 */
export function useList<Item>(
  key: unknown[],
  load: (cursor: string | undefined) => Promise<Result<ListPage<Item>>>,
  isChanging: (item: Item) => boolean = () => false,
): List<Item> {
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => dataOf(load(pageParam)),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor }) => next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.data.some(isChanging)) ? RELOAD_INTERVAL_MS : false,
  });
  const { error, refetch, hasNextPage, fetchNextPage, isPlaceholderData } = query;
  const data = query.data?.pages.flatMap((page) => page.data);
  return { data, error, refetch, hasNextPage, fetchNextPage, isPlaceholderData };
}

interface ListTableProps<Item extends { id: string }> {
  list: List<Item>;
  caption: string;
  columns: Column<Item>[];
  /** The filters of the list, if it has some. */
  filters?: { isFiltered: boolean; clear: () => void };
  /** What to show when there are no entries at all. */
  empty: ComponentChildren;
  /** What stands below an entry, such as its details. */
  below?: (item: Item) => ComponentChildren;
}

/** Shows a list as a table: while it loads, when it is empty or has failed, and with a button for more entries. */
export function ListTable<Item extends { id: string }>({ list, caption, columns, filters, empty, below }: ListTableProps<Item>) {
  return (
    <Loaded query={list} lines={6}>
      {(rows) => {
        if (rows.length === 0) return filters?.isFiltered ? <NothingFound clear={filters.clear} /> : empty;
        return (
          <div class="p-list" aria-busy={list.isPlaceholderData}>
            <Table caption={caption} columns={columns} rows={rows} keyOf={({ id }) => id} below={below} />
            <LoadMore query={list} />
            <Shown count={rows.length} hasMore={list.hasNextPage} />
          </div>
        );
      }}
    </Loaded>
  );
}

function NothingFound({ clear }: { clear: () => void }) {
  const { filters } = useTexts('signedIn');
  return (
    <EmptyState title={filters.nothingFound}>
      <Button small onClick={clear}>
        {filters.clear}
      </Button>
    </EmptyState>
  );
}

/** Says how many entries are shown. Screen readers announce it after a search. */
function Shown({ count, hasMore }: { count: number; hasMore: boolean }) {
  const { filters } = useTexts('signedIn');
  return (
    <p class="p-muted p-small" role="status">
      {filters.shown(count, hasMore)}
    </p>
  );
}
