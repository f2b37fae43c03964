// A code that was mailed. The tab keeps it, so that a reload after a look into the mailbox loses nothing.
import { sendCode } from '@portico/client';
import { useEffect, useState } from 'preact/hooks';
import type { Result } from '../../../app/call.ts';
import { tabStorage } from '../../../app/tab-storage.ts';

/** A code flow: the codes that were mailed to an address, one after another. */
export interface CodeFlow {
  /** The id of the flow. */
  id: string;
  email: string;
  /** When the latest code was requested, in milliseconds since 1970. */
  sentAt: number;
  /** How long the server accepts it, in milliseconds. */
  lifetime: number;
  /** How often a wrong code was entered since then. */
  misses: number;
}

/** After so many wrong codes, the server no longer accepts the right one. */
const MAX_MISSES = 5;
/** How long the user waits for a mail before they can request another one. */
const RESEND_WAIT_MS = 30_000;

/** Returns when the code of a flow expires, in milliseconds since 1970. */
export const expiryOf = ({ sentAt, lifetime }: CodeFlow): number => sentAt + lifetime;

/** Returns how many wrong codes the server still takes. */
export const triesLeft = ({ misses }: CodeFlow): number => Math.max(0, MAX_MISSES - misses);

/** What a code is good for now. */
export interface CodeState {
  status: 'live' | 'expired' | 'dead';
  /** After how many seconds the user can request another code. */
  resendIn: number;
}

/** Returns the state of a code at a time. */
export function codeState(flow: CodeFlow, now: number): CodeState {
  const resendIn = Math.max(0, Math.ceil((flow.sentAt + RESEND_WAIT_MS - now) / 1000));
  if (triesLeft(flow) === 0) return { status: 'dead', resendIn };
  return { status: now < expiryOf(flow) ? 'live' : 'expired', resendIn };
}

/** Returns the state of a code, and follows the time. It reads the clock each second, because computers sleep. */
export function useCodeState(flow: CodeFlow): CodeState {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return codeState(flow, Math.max(now, flow.sentAt));
}

/** Mails a code. With a flow, its earlier code is replaced. */
export async function requestCode(email: string, earlier?: CodeFlow): Promise<Result<CodeFlow>> {
  const { data, error } = await sendCode({ body: { email, flow: earlier?.id } });
  if (!data) return { error };
  const { flow: id, expires_in } = data;
  return { data: { id, email, sentAt: Date.now(), lifetime: expires_in * 1000, misses: 0 } };
}

/** Returns the flow that this tab keeps under a name, and a function that replaces or removes it. */
export function useCodeFlow(name: FlowName): [CodeFlow | undefined, (flow?: CodeFlow) => void] {
  const [flow, setFlow] = useState(() => read(name));
  const set = (next?: CodeFlow) => {
    keep(name, next);
    setFlow(next);
  };
  return [flow, set];
}

/** Removes the flow that this tab keeps under a name, once its code was used. */
export const forgetCodeFlow = (name: FlowName): void => keep(name, undefined);

/** What a code is for. */
type FlowName = 'sign-in' | 'step-up';
const keyOf = (name: FlowName) => `portico:code:${name}`;

function read(name: FlowName): CodeFlow | undefined {
  const text = tabStorage.read(keyOf(name));
  if (text === undefined) return undefined;
  const flow = JSON.parse(text) as CodeFlow;
  // A time ahead of the clock means that the clock was set back. The code may be older than it seems.
  return { ...flow, sentAt: Math.min(flow.sentAt, Date.now()) };
}

function keep(name: FlowName, flow: CodeFlow | undefined): void {
  if (flow) tabStorage.write(keyOf(name), JSON.stringify(flow));
  else tabStorage.remove(keyOf(name));
}
