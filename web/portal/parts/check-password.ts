import { checkPassword, type CheckPasswordResponse } from '@portico/client';
import { useEffect, useState } from 'preact/hooks';
import { useDebounced } from '../../app/debounced.ts';

/** What the server thinks of a password that is not set yet: a score from 0 to 4, and why it would refuse it. */
export type PasswordAdvice = CheckPasswordResponse;

/** How long the user must not type before the server is asked. */
const DEBOUNCE_MS = 400;

/**
 * Returns what the server thinks of a password, a moment after it was typed. It is only advice: without an answer, for
 * example because a limit is reached, there is none. `token` is the link; without it, the session is used.
 */
export function usePasswordAdvice(password: string, token: string | undefined): PasswordAdvice | undefined {
  const [advice, setAdvice] = useState<PasswordAdvice>();
  const settled = useDebounced(password, DEBOUNCE_MS);
  useEffect(() => {
    if (!settled) return setAdvice(undefined);
    const abort = new AbortController();
    void checkPassword({ body: { password: settled, ...(token && { token }) }, signal: abort.signal }).then(({ data }) => {
      if (!abort.signal.aborted) setAdvice(data);
    });
    return () => abort.abort();
  }, [settled, token]);
  return password ? advice : undefined;
}
