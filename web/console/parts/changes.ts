// What the acts of the console change, so that the lists that show it are loaded again.
import { queries } from '../../app/queries.tsx';

/** Loads the lists of people and invitations again. */
export const reloadPeople = (): Promise<unknown> =>
  Promise.all(['people', 'invitations', 'overview'].map((name) => queries.invalidateQueries({ queryKey: [name] })));

/** Loads the clients again, and the lists that show their names. */
export const reloadClients = (): Promise<unknown> =>
  Promise.all([queries.invalidateQueries({ queryKey: ['clients'] }), reloadPeople()]);

/** Loads the mails again, and the lists that show what has become of them. */
export const reloadMails = (): Promise<unknown> =>
  Promise.all([queries.invalidateQueries({ queryKey: ['mails'] }), reloadPeople()]);
