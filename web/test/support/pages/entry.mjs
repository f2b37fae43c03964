// An entry of the table of pages.

/**
 * Returns the entry of a page in one of its states.
 *
 * - `visitor` opens the page.
 * - `at` returns its address.
 * - `answers` replace those of the API, see `answers.mjs`.
 * - `act` leads to the state, by the `Controls` of the page.
 * - `shows` is a text in English, and `until` is a selector, of which each proves that the state was reached.
 * - With `isNarrow`, the state exists on a phone only.
 * - `host` is a program on this computer to which the page leads. It answers, and the page stays.
 * - With `isPending`, a call has no answer yet. With `isFaulty`, calls fail in a way that Chromium reports.
 *   With `isOffline`, the connection is lost at the end.
 */
export const page = (path, visitor, more = {}) => ({ path, visitor, state: 'main', at: () => path, act: () => undefined, ...more });

/** Returns a function that makes the entries of a visitor. */
export const pagesOf = (visitor) => (path, more) => page(path, visitor, more);
