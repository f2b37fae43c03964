import { useTexts } from '../app/texts.ts';
import { Button } from './button.tsx';

/** The button below a list that has more entries. */
export function LoadMore({ query }: { query: { hasNextPage: boolean; fetchNextPage: () => Promise<unknown> } }) {
  const texts = useTexts('signedIn');
  if (!query.hasNextPage) return null;
  return (
    <div class="p-load-more">
      <Button onClick={() => query.fetchNextPage()}>{texts.loadMore}</Button>
    </div>
  );
}
