/** How many characters a search has at least. With fewer, the server refuses to search. */
export const MIN_SEARCH_LENGTH = 2;

/** How long a search waits for the next character. */
export const SEARCH_DELAY_MS = 300;
