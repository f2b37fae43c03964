import type { PorticoError } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useTexts } from '../app/texts.ts';
import { Button } from './button.tsx';
import { EmptyState } from './empty-state.tsx';
import { ProblemNotice } from './problem-notice.tsx';
import { Skeleton } from './skeleton.tsx';

/** What a query of `@tanstack/preact-query` offers, as far as it is used here. */
interface Query<Data> {
  data: Data | undefined;
  error: PorticoError | null;
  refetch: () => Promise<unknown>;
}

interface LoadedProps<Data> {
  query: Query<Data>;
  /** How many lines the content has about, while it is loading. */
  lines?: number;
  children: (data: Data) => ComponentChildren;
}

/** Shows the data of a query, or that it is loading, missing, forbidden, or has failed, with a button to try again. */
export function Loaded<Data>({ query: { data, error, refetch }, lines, children }: LoadedProps<Data>) {
  const texts = useTexts('signedIn');
  const { retry } = useTexts('common');
  if (data !== undefined) return <>{children(data)}</>;
  if (!error) return <Skeleton lines={lines ?? 3} />;
  if (error.code === 'not_found') return <EmptyState title={texts.notFound.title}>{texts.notFound.body}</EmptyState>;
  if (error.code === 'forbidden') return <EmptyState title={texts.forbidden.title}>{texts.forbidden.body}</EmptyState>;
  return (
    <ProblemNotice problem={error}>
      <Button onClick={() => refetch()}>{retry}</Button>
    </ProblemNotice>
  );
}
