// The filters of a list, kept in the query of the address, so that reloading, going back and sharing keep them.
import { useLocation } from '../../app/location.tsx';
import { MIN_SEARCH_LENGTH } from '../../app/search.ts';

/** What the value of an id looks like. */
export const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What an email address looks like. The server decides. */
export const ADDRESS = /^[^\s@]+@[^\s@]+\.[^\s@.]+$/;

/** The filters of a list: for each parameter of the API, its choices, its pattern or the kind of its value. */
export type FilterKinds = Record<string, readonly string[] | RegExp | 'search' | 'text' | 'date'>;

/** The values of filters. A parameter that the address lacks, or that is no choice, is absent. */
export type FilterValues<Kinds extends FilterKinds> = {
  [Name in keyof Kinds]?: Kinds[Name] extends readonly (infer Choice)[] ? Choice : string;
};

/** The filters of a list, and how to change them. */
export interface Filters<Kinds extends FilterKinds> {
  values: FilterValues<Kinds>;
  isFiltered: boolean;
  /** Changes filters. An empty value removes one. */
  set: (changes: { [Name in keyof Kinds]?: string }) => void;
  clear: () => void;
}

/** Returns the filters in the address. `prefix` distinguishes two lists of a page. */
export function useFilters<const Kinds extends FilterKinds>(kinds: Kinds, prefix = ''): Filters<Kinds> {
  const { path, query, goTo } = useLocation();
  const entries = Object.entries(kinds).flatMap(([name, kind]) => {
    const value = query.get(prefix + name) ?? '';
    return isValid(value, kind) ? [[name, value]] : [];
  });
  const set = (changes: Record<string, string | undefined>) => {
    // Not `query`: a search reports its text a moment later, when another filter may have changed.
    const next = new URLSearchParams(location.search);
    // The back button undoes a filter. Each further character of a search replaces the one before.
    const isTyping = Object.keys(changes).every((name) => kinds[name] === 'search' && next.has(prefix + name));
    for (const [name, value] of Object.entries(changes)) {
      if (value) next.set(prefix + name, value);
      else next.delete(prefix + name);
    }
    goTo(next.size > 0 ? `${path}?${next}` : path, { replace: isTyping });
  };
  const clear = () => set(Object.fromEntries(Object.keys(kinds).map((name) => [name, ''])));
  return { values: Object.fromEntries(entries) as FilterValues<Kinds>, isFiltered: entries.length > 0, set, clear };
}

function isValid(value: string, kind: FilterKinds[string]): boolean {
  if (kind === 'search') return value.trim().length >= MIN_SEARCH_LENGTH;
  if (kind === 'text') return value !== '';
  if (kind === 'date') return /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value));
  return kind instanceof RegExp ? kind.test(value) : kind.includes(value);
}

/** Returns the first moment of a day such as `2026-03-31` in the time zone of the browser, as the API takes it. */
export const startOfDay = (day: string | undefined): string | undefined =>
  day && new Date(`${day}T00:00:00`).toISOString();

/** Returns the first moment of the day after a day. */
export function endOfDay(day: string | undefined): string | undefined {
  if (!day) return undefined;
  const date = new Date(`${day}T00:00:00`);
  date.setDate(date.getDate() + 1);
  return date.toISOString();
}
