// What a failed call says to the user.
import type { PorticoError } from '@portico/client';
import type { Bundles } from './texts.ts';

/** Returns the sentence for an error, in the language of `texts`. */
export function describeProblem(problem: PorticoError, texts: Bundles['problems']): string {
  return texts.codes[problem.code] ?? texts.codes.internal;
}

/** Returns the time after which a refused call may be repeated, in seconds. */
export function retryAfter(problem: PorticoError): number | undefined {
  return 'retry_after' in problem ? problem.retry_after : undefined;
}

/** Returns the id with which the operator finds the request in the log. */
export function requestId(problem: PorticoError): string | undefined {
  return 'request_id' in problem ? problem.request_id : undefined;
}

/** Returns the sentence for each invalid field, under the name of the field. */
export function fieldProblems(problem: PorticoError, texts: Bundles['problems'] | undefined): Record<string, string> {
  if (!texts || !('errors' in problem)) return {};
  const entries = (problem.errors ?? []).map(({ pointer, code }) => [
    pointer.slice(1).replaceAll('/', '.'),
    (texts.fields as Record<string, string>)[code] ?? texts.fields.invalid,
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}
