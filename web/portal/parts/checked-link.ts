import { checkToken, type CheckedLink, type LinkPurpose, type PorticoError } from '@portico/client';
import { useEffect, useState } from 'preact/hooks';

/** Why a link cannot be used. */
export type DeadCode = 'token_expired' | 'token_used' | 'token_revoked' | 'token_unknown' | 'missing';

/** What is known of the link that has opened the page. */
export type LinkState =
  | { kind: 'checking' }
  | { kind: 'live'; link: CheckedLink }
  | { kind: 'dead'; code: DeadCode }
  | { kind: 'failed'; problem: PorticoError };

/** Returns the reason of a dead link that an error names. */
export function deadCode({ code }: PorticoError): DeadCode | undefined {
  return /^token_(expired|used|revoked|unknown)$/.test(code) ? (code as DeadCode) : undefined;
}

/**
 * Asks the server about a link. This spends nothing. A check that had no answer runs again when the connection is back.
 */
export function useCheckedLink(token: string | undefined, purpose: LinkPurpose) {
  const [state, setState] = useState<LinkState>({ kind: 'checking' });
  const [attempt, setAttempt] = useState(0);
  const retry = () => setAttempt((count) => count + 1);

  useEffect(() => {
    let isCurrent = true;
    setState({ kind: 'checking' });
    void check(token, purpose).then((next) => isCurrent && setState(next));
    return () => void (isCurrent = false);
  }, [token, attempt]);
  useEffect(() => {
    if (state.kind !== 'failed' || state.problem.code !== 'network_error') return;
    addEventListener('online', retry);
    return () => removeEventListener('online', retry);
  }, [state]);
  return { state, retry, setDead: (code: DeadCode) => setState({ kind: 'dead', code }) };
}

async function check(token: string | undefined, purpose: LinkPurpose): Promise<LinkState> {
  if (!token) return { kind: 'dead', code: 'missing' };
  const { data, error } = await checkToken({ body: { token } });
  if (data) return data.purpose === purpose ? { kind: 'live', link: data } : { kind: 'dead', code: 'token_unknown' };
  const code = deadCode(error);
  return code ? { kind: 'dead', code } : { kind: 'failed', problem: error };
}
