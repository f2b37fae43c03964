import { checkPassword, type CheckPasswordResponse } from '@portico/client';
import { useEffect, useState } from 'preact/hooks';

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
  useEffect(() => {
    if (!password) return setAdvice(undefined);
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      const { data } = await checkPassword({ body: { password, ...(token && { token }) }, signal: abort.signal });
      if (!abort.signal.aborted) setAdvice(data);
    }, DEBOUNCE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [password, token]);
  return advice;
}
