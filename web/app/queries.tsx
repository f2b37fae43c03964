// Data of the API after sign-in, kept in memory while the page is open.
import { QueryClient, QueryClientProvider } from '@tanstack/preact-query';
import type { PorticoError } from '@portico/client';
import type { ComponentChildren } from 'preact';
import type { Result } from './call.ts';

declare module '@tanstack/preact-query' {
  interface Register {
    defaultError: PorticoError;
  }
}

/** How often a call is repeated that has got no answer. */
const MAX_RETRIES = 2;

/** The data of the pages after sign-in. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (count, error) => error.code === 'network_error' && count < MAX_RETRIES,
    },
  },
});

/** Provides the data to the pages. */
export function QueriesProvider({ children }: { children: ComponentChildren }) {
  return <QueryClientProvider client={queries}>{children}</QueryClientProvider>;
}

/** Returns the data of a call, for a query. Throws its error. */
export async function dataOf<Data>(call: Promise<Result<Data>>): Promise<Data> {
  const { data, error } = await call;
  if (error) throw error;
  return data as Data;
}
