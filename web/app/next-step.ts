// The second step of a sign-in whose first step was right.
import type { SignInChallenge } from '@portico/client';
import type { ComponentType } from 'preact';
import type { Result } from './call.ts';
import type { Locale } from './texts.ts';

/** What the component of the second step receives. */
export interface NextStepProps<Session> {
  /** Only the memory of the page has it: no storage and no address. */
  challenge: SignInChallenge;
  onSignedIn: (session: Session) => void;
  /** Returns to the first step. */
  onCancel: () => void;
}

/** The second step of a sign-in: the component that shows it, and what it needs. */
export interface NextStep<Session> {
  status: 'next_step';
  challenge: SignInChallenge;
  Step: ComponentType<NextStepProps<Session>>;
}

/** The file of a second step. */
interface NextStepFile<Session> {
  default: ComponentType<NextStepProps<Session>>;
  /** Loads the texts and the styles of the step. */
  prepare: (locale: Locale) => Promise<unknown>;
}

/**
 * Returns the session of a sign-in, or its second step. Few sign-ins have one, so `load` loads its code only then. The
 * call fails if that cannot be loaded.
 */
export async function withNextStep<Session extends { status: 'signed_in' }>(
  call: Promise<Result<Session | SignInChallenge>>,
  locale: Locale,
  load: () => Promise<NextStepFile<Session>>,
): Promise<Result<Session | NextStep<Session>>> {
  const { data, error } = await call;
  if (!data || data.status === 'signed_in') return { data, error };
  try {
    // Of the file of another build, nothing comes but a script that loads the page again.
    const { default: Step, prepare } = await load();
    await prepare(locale);
    return { data: { status: 'next_step', challenge: data, Step } };
  } catch {
    // The connection was lost.
  }
  return { error: { code: 'network_error', detail: '', cause: undefined } };
}
