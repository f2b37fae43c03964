// Remembers the link of a call that had no answer. If the link turns out to be used, the call has succeeded.
import { tabStorage } from '../../app/tab-storage.ts';

const KEY = 'portico:lost-answer';
let lost: string | undefined;

/** Remembers that a call with this token had no answer. */
export function rememberLostAnswer(token: string): void {
  lost = token;
  tabStorage.write(KEY, token);
}

/** Whether a call with this token had no answer. */
export const hasLostAnswer = (token: string): boolean => (lost ?? tabStorage.read(KEY)) === token;
