import type { Session } from '@portico/client';
import { setCookie } from '../../app/cookies.ts';
import { announceIdentity } from '../../app/identity.ts';
import { localeOf } from '../../app/texts.ts';

/** What follows each sign-in: the other tabs learn it, and the next page is in the language of the user. */
export function signedInNow({ user, client }: Pick<Session, 'user' | 'client'>): void {
  if (user.locale) setCookie('portico_locale', localeOf(user.locale));
  announceIdentity('portal', { userId: user.id, clientId: client?.id ?? null });
}
