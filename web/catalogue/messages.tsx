import type { PorticoError } from '@portico/client';
import { Badge } from '../kit/badge.tsx';
import { Card } from '../kit/card.tsx';
import { ContinueAs } from '../kit/continue-as.tsx';
import { EmptyState } from '../kit/empty-state.tsx';
import { Late } from '../kit/late.tsx';
import { Loaded } from '../kit/loaded.tsx';
import { Notice } from '../kit/notice.tsx';
import { OfflineNotice } from '../kit/offline-notice.tsx';
import { ProblemNotice } from '../kit/problem-notice.tsx';
import { SessionOffer } from '../kit/session-offer.tsx';
import { Skeleton } from '../kit/skeleton.tsx';
import { Spinner } from '../kit/spinner.tsx';
import { Button } from '../kit/button.tsx';
import { NAMES, type Entry } from './entry.ts';

/** Returns an error of the server, as the pages receive it. */
export const problem = (code: string, more = {}) =>
  ({ type: '', title: '', detail: '', status: 500, request_id: '0198c0de-7a11-7cc1-9f2e-0123456789ab', code, ...more }) as unknown as PorticoError;
const query = (more: object) => ({ data: undefined, error: null, refetch: () => Promise.resolve(), ...more });

/** What a page says. */
export const MESSAGES: Entry[] = [
  {
    name: 'Notice',
    states: (['info', 'success', 'warning', 'danger'] as const).map((kind) => ({
      name: kind,
      show: () => (
        <Notice kind={kind} title="The invitation was sent">
          <p dir="auto">{NAMES.long}</p>
        </Notice>
      ),
    })),
  },
  {
    name: 'Late',
    states: [
      { name: 'loaded', show: () => <Late load={() => Promise.resolve({ default: () => <p>A part that was loaded late.</p> })} texts={[]} props={{}} /> },
      { name: 'failed', show: () => <Late load={(): Promise<{ default: () => null }> => Promise.reject(new Error())} texts={[]} props={{}} /> },
    ],
  },
  {
    name: 'ProblemNotice',
    states: [
      { name: 'that the operator can explain', show: () => <ProblemNotice problem={problem('internal')} /> },
      { name: 'with a time to wait', show: () => <ProblemNotice problem={problem('too_many_requests', { retry_after: 300 })} /> },
    ],
  },
  {
    name: 'Loaded',
    states: [
      { name: 'while it loads', show: () => <Loaded query={query({})}>{() => null}</Loaded> },
      { name: 'not found', show: () => <Loaded query={query({ error: problem('not_found') })}>{() => null}</Loaded> },
      { name: 'not allowed', show: () => <Loaded query={query({ error: problem('forbidden') })}>{() => null}</Loaded> },
      { name: 'failed', show: () => <Loaded query={query({ error: problem('unavailable') })}>{() => null}</Loaded> },
    ],
  },
  {
    name: 'Badge',
    states: [
      {
        name: 'of each kind',
        show: () => (
          <div class="p-actions">
            {(['neutral', 'success', 'warning', 'danger', 'accent'] as const).map((kind) => (
              <Badge key={kind} kind={kind}>
                Invited
              </Badge>
            ))}
          </div>
        ),
      },
    ],
  },
  {
    name: 'Card',
    states: [
      { name: 'plain', show: () => <Card>Content</Card> },
      { name: 'with a title and an action', show: () => <Card title={NAMES.long} actions={<Button small>Rename</Button>}>{NAMES.unbroken}</Card> },
    ],
  },
  { name: 'EmptyState', states: [{ name: 'with an action', show: () => <EmptyState title="No invitations yet"><Button>Invite someone</Button></EmptyState> }] },
  { name: 'OfflineNotice', states: [{ name: 'hidden while there is a connection', show: () => <OfflineNotice /> }] },
  {
    name: 'SessionOffer',
    states: [
      {
        name: 'hidden in a browser in which no user has signed in',
        show: () => <SessionOffer realm="portal" load={() => Promise.resolve({ default: () => <ContinueAs realm="portal" name={NAMES.long} /> })} />,
      },
    ],
  },
  { name: 'ContinueAs', states: [{ name: 'with a long name', show: () => <ContinueAs realm="portal" name={NAMES.long} /> }] },
  { name: 'Skeleton', states: [{ name: 'three lines', show: () => <Skeleton /> }] },
  { name: 'Spinner', states: [{ name: 'turning', show: () => <Spinner /> }] },
];
