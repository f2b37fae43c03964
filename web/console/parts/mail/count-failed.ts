import { listEmails, type RetryEmails } from '@portico/client';
import { dataOf } from '../../../app/queries.tsx';

/** The filters that apply to mails that are sent again. */
export type MailFilters = { [Name in keyof RetryEmails]?: Exclude<RetryEmails[Name], null> };

/** How many failed mails match the filters. */
export interface FailedCount {
  /** Those that can be sent again together. */
  possible: number;
  /** Those that may have arrived. They are sent again one by one only. */
  unknown: number;
  /** Whether more match than were counted. */
  hasMore: boolean;
}

/** How many pages of the list are counted at most, and how long each is. */
const [MAX_PAGES, PAGE_LENGTH] = [10, 100];

/** Counts the failed mails that match the filters, as far as a few pages of the list go. The API has no number. */
export async function countFailed(filters: MailFilters): Promise<FailedCount> {
  const count = { possible: 0, unknown: 0, hasMore: true };
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const query = { ...filters, status: 'failed' as const, limit: PAGE_LENGTH, cursor };
    const { data, next_cursor } = await dataOf(listEmails({ query }));
    const open = data.filter(({ retried_by }) => !retried_by);
    const unknown = open.filter(({ reason }) => reason === 'outcome_unknown').length;
    count.unknown += unknown;
    count.possible += open.length - unknown;
    if (!next_cursor) return { ...count, hasMore: false };
    cursor = next_cursor;
  }
  return count;
}
