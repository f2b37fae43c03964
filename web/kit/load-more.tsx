import type { PorticoError } from '@portico/client';
import { useTexts } from '../app/texts.ts';
import { Button } from './button.tsx';
import { ProblemNotice } from './problem-notice.tsx';

/** What a list offers that is loaded page by page. */
interface PagedQuery {
  hasNextPage: boolean;
  fetchNextPage: () => Promise<unknown>;
  error?: PorticoError | null;
  refetch?: () => Promise<unknown>;
}

/** The button below a list that has more entries, or the error of the last attempt to load some. */
export function LoadMore({ query: { error, hasNextPage, fetchNextPage, refetch } }: { query: PagedQuery }) {
  const { loadMore } = useTexts('signedIn');
  const { retry } = useTexts('common');
  if (error) {
    return (
      <ProblemNotice problem={error}>
        <div class="p-actions">
          <Button small onClick={() => (hasNextPage ? fetchNextPage() : refetch?.())}>
            {retry}
          </Button>
        </div>
      </ProblemNotice>
    );
  }
  if (!hasNextPage) return null;
  return (
    <div class="p-load-more">
      <Button onClick={() => fetchNextPage()}>{loadMore}</Button>
    </div>
  );
}
