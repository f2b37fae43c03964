import { useFormatLocale } from '../app/format-locale.ts';

/** A time in the language and the time zone of the browser. The server's format stays readable for programs. */
export function DateTime({ value, dateOnly }: { value: string; dateOnly?: boolean }) {
  const locale = useFormatLocale();
  return <time dateTime={value}>{formatTime(value, locale, dateOnly)}</time>;
}

/** Formats a time, for example `3 Mar 2026, 10:05`. */
export function formatTime(value: string, locale: string, dateOnly?: boolean): string {
  const style = dateOnly ? { dateStyle: 'medium' as const } : { dateStyle: 'medium' as const, timeStyle: 'short' as const };
  return new Intl.DateTimeFormat(locale, style).format(new Date(value));
}
