/** The texts that are the same in a language as in English: names, and words that both languages have. */
export const SAME_AS_ENGLISH = {
  de: [],
  fr: [],
  es: [],
};
