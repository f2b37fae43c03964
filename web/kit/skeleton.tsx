import { useTexts } from '../app/texts.ts';

/** Grey lines in place of content that is loading. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  const texts = useTexts('signedIn');
  return (
    <div class="p-skeleton" role="status" aria-label={texts.loading}>
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} />
      ))}
    </div>
  );
}
