import type { PorticoError } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { describeProblem, requestId, retryAfter } from '../app/problem.ts';
import { useLateTexts, useTexts } from '../app/texts.ts';
import { RetryCountdown, useCountdown } from './countdown.tsx';
import { Notice } from './notice.tsx';

interface ProblemNoticeProps {
  problem: PorticoError;
  /** A sentence for this page, in place of the general one. */
  sentence?: string | undefined;
  children?: ComponentChildren;
}

/** The error codes that the operator can explain with the log. */
const UNEXPECTED = new Set(['internal', 'unavailable', 'overloaded', 'conflict', 'malformed_request', 'forbidden']);

/** Says why a call has failed: in words, with the time to wait, and with the request id if the error is unexpected. */
export function ProblemNotice({ problem, sentence, children }: ProblemNoticeProps) {
  const texts = useTexts('common');
  const sentences = useLateTexts('problems');
  const wait = retryAfter(problem);
  const left = useCountdown(wait, problem);
  const id = requestId(problem);
  // A server that cannot be reached sends no sentences either.
  const fallback = sentences === 'failed' ? texts.unreachable : '';
  const general = typeof sentences === 'string' ? fallback : describeProblem(problem, sentences);
  return (
    <Notice kind="danger">
      <p>{sentence ?? general}</p>
      {typeof sentences !== 'string' && (
        <>
          {wait !== undefined && <RetryCountdown left={left} total={wait} />}
          {id && !sentence && UNEXPECTED.has(problem.code) && <p class="p-request-id">{sentences.requestId(id)}</p>}
        </>
      )}
      {children}
    </Notice>
  );
}
