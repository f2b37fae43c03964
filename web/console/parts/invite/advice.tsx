import { useQuery } from '@tanstack/preact-query';
import { invitePortalUsers } from '@portico/client';
import { useDebounced } from '../../../app/debounced.ts';
import { dataOf } from '../../../app/queries.tsx';
import { useTexts } from '../../../app/texts.ts';

/** How long the address stays unchanged before the server is asked. */
const DELAY_MS = 400;

/** A text that is worth asking the server about. The server decides whether it is an address. */
const LOOKS_LIKE_ADDRESS = /^[^@\s]+@[^@\s]+\.[^@\s]+$/;

/**
 * Says what an invitation to an address would send, by asking the server for a trial. It only advises: between the
 * trial and the invitation, the person may join.
 */
export function InviteAdvice({ clientId, email }: { clientId: string; email: string }) {
  const { invite } = useTexts('console');
  const asked = useDebounced(email.trim(), DELAY_MS);
  const trial = useQuery({
    queryKey: ['invite-trial', clientId, asked],
    queryFn: () =>
      dataOf(invitePortalUsers({ path: { client_id: clientId }, query: { dry_run: true }, body: { rows: [{ email: asked }] } })),
    enabled: LOOKS_LIKE_ADDRESS.test(asked),
    staleTime: 0,
    retry: false,
  });
  const row = trial.data?.rows[0];
  const isChecking = LOOKS_LIKE_ADDRESS.test(email.trim()) && (trial.isFetching || email.trim() !== asked);
  const outcome = row?.status === 'invited' ? row.invite_mode : row?.status;
  const sentences: Record<string, string> = invite.before;
  return (
    <p class="p-advice" role="status">
      {isChecking ? <span class="p-muted">{invite.checking}</span> : outcome && sentences[outcome]}
    </p>
  );
}
