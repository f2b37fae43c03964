import { tabStorage } from '../../app/tab-storage.ts';
import { forgetLinkOf } from './link-token.ts';

/** What another page of this tab leaves for the next sign-in. */
export interface SignInPlan {
  /** The address to fill in. */
  email: string;
  /** The secret of an invitation that the sign-in accepts. */
  invitation?: string;
}

const KEY = 'portico:sign-in';

/** Remembers what the next sign-in in this tab is for. */
export const planSignIn = (plan: SignInPlan): void => tabStorage.write(KEY, JSON.stringify(plan));

/** Returns what the sign-in is for. It stays until `forgetSignInPlan`, so that a reload loses nothing. */
export function plannedSignIn(): SignInPlan | undefined {
  const text = tabStorage.read(KEY);
  return text === undefined ? undefined : (JSON.parse(text) as SignInPlan);
}

/** Forgets what the sign-in was for, and the link that has led to it. */
export function forgetSignInPlan(): void {
  tabStorage.remove(KEY);
  forgetLinkOf('/portal/accept-invitation');
}
