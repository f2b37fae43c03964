import { setTimeout as pause } from 'node:timers/promises';

/**
 * Calls `look` until it returns a truthy value, and returns that value. Throws an error that contains `what` if
 * `seconds` pass without one.
 */
export async function eventually(what, look, seconds = 20) {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await pause(100)) {
    const found = await look();
    if (found) return found;
  }
  throw new Error(`${what}: did not happen within ${seconds} s`);
}
