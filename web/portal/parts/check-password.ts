import { httpClient } from '@portico/client';
import { useEffect, useState } from 'preact/hooks';

/** What the server thinks of a password that is not set yet. */
export interface PasswordAdvice {
  /** From 0, easy to guess, to 4. The server accepts 3 and 4. */
  score: number;
  /** Why the server would refuse it. */
  codes: string[];
}

/** How long the user must not type before the server is asked. */
const DEBOUNCE_MS = 400;

/**
 * Returns what the server thinks of a password, a moment after it was typed. It is only advice: without an answer, for
 * example because a limit is reached, there is none. `token` is the link; without it, the session is used.
 */
export function usePasswordAdvice(password: string, token: string | undefined): PasswordAdvice | undefined {
  const [advice, setAdvice] = useState<PasswordAdvice>();
  useEffect(() => {
    if (!password) return setAdvice(undefined);
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      const { data } = await checkPassword(password, token, abort.signal);
      if (!abort.signal.aborted) setAdvice(data);
    }, DEBOUNCE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [password, token]);
  return advice;
}

function checkPassword(password: string, token: string | undefined, signal: AbortSignal) {
  const body = token ? { token, password } : { password };
  const headers = { 'Content-Type': 'application/json' };
  return httpClient.post<{ 200: PasswordAdvice }, unknown>({ url: '/api/portal/auth/check-password', body, headers, signal });
}
