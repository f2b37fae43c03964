// Links to the contacts of a company, which its staff has typed.

/**
 * Returns the URI that begins a mail to an address. An address may contain `?`, `&` and `%`, which would otherwise begin
 * further fields, such as `bcc`. Mails do the same (`domain/src/platform/mail/mailto.rs`).
 */
export const mailto = (address: string): string =>
  `mailto:${address.split('@').map(encodeURIComponent).join('@')}`;

/** Returns the URI that calls a number. The `(0)` of `+44 (0)20` is for calls within the country. */
export const tel = (number: string): string =>
  `tel:${(number.startsWith('+') ? number.replace('(0)', '') : number).replace(/[^+\d]/g, '')}`;
