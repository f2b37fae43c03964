// The two cookies that the pages set. The server reads them to choose the language and the brand of a page.

const YEAR_SECONDS = 365 * 24 * 60 * 60;

type CookieName = 'portico_locale' | 'portico_brand';

/** Whether this browser has a cookie. */
export const hasCookie = (name: CookieName): boolean => document.cookie.split('; ').some((each) => each.startsWith(`${name}=`));

/** Sets a cookie for one year on the whole origin. An empty value removes it. */
export function setCookie(name: CookieName, value: string): void {
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  const age = value ? YEAR_SECONDS : 0;
  document.cookie = `${name}=${encodeURIComponent(value)}; Path=/; SameSite=Lax; Max-Age=${age}${secure}`;
}
