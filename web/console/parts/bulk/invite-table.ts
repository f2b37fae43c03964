// The operation that invites many people, with a table as its body. The generated function sends rows as JSON.
import { httpClient, type BulkInvitationResult, type InvitePortalUsersErrors } from '@portico/client';
import type { Result } from '../../../app/call.ts';

interface Options {
  /** A trial returns what would happen, and sends nothing. */
  isTrial?: boolean;
  /** Repeated with the same key, a request invites no person twice. */
  idempotencyKey?: string;
}

/** Invites the people of a table in CSV. */
export async function inviteTable(
  clientId: string,
  table: string | Blob,
  { isTrial = false, idempotencyKey }: Options,
): Promise<Result<BulkInvitationResult>> {
  return httpClient.post<{ 200: BulkInvitationResult }, InvitePortalUsersErrors>({
    url: '/api/v1/clients/{client_id}/invitations/bulk',
    path: { client_id: clientId },
    query: { dry_run: isTrial },
    headers: { 'Content-Type': 'text/csv', ...(idempotencyKey ? { 'Idempotency-Key': idempotencyKey } : {}) },
    body: table,
    bodySerializer: null,
  });
}
