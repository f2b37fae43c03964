import type { ApiToken, ApiTokenOwner } from '@portico/client';
import { useState } from 'preact/hooks';
import { useTexts } from '../../../app/texts.ts';
import { Badge } from '../../../kit/badge.tsx';
import { Button } from '../../../kit/button.tsx';
import { ConfirmDialog } from '../../../kit/confirm-dialog.tsx';
import { DateTime } from '../../../kit/date-time.tsx';
import { EmptyState } from '../../../kit/empty-state.tsx';
import type { Result } from '../../../app/call.ts';
import type { Column } from '../../../kit/table.tsx';
import { ListTable, type List } from '../list.tsx';
import { PermissionList } from '../staff/role-permissions.tsx';

type Token = ApiToken & { owner?: ApiTokenOwner };

interface TokenTableProps {
  caption: string;
  list: List<Token>;
  showOwner?: boolean;
  /** Revokes a token. Without it, the user may not. */
  revoke?: ((id: string) => Promise<Result<unknown>>) | undefined;
  /** Runs after a token was revoked. */
  onRevoked: () => unknown;
}

/** API tokens, without their secrets. */
export function TokenTable({ caption, list, showOwner, revoke, onRevoked }: TokenTableProps) {
  const { tokens: texts } = useTexts('access');
  const [revoking, setRevoking] = useState<Token>();
  const columns = useColumns(setRevoking).filter(({ title, role }) => (showOwner || title !== texts.owner) && (revoke || role !== 'actions'));
  return (
    <>
      <ListTable list={list} caption={caption} columns={columns} empty={<EmptyState title={texts.empty} />} />
      {revoking && revoke && (
        <ConfirmDialog
          title={texts.revokeTitle(revoking.name)}
          confirm={texts.revokeConfirm}
          act={() => revoke(revoking.id)}
          onDone={onRevoked}
          onClose={() => setRevoking(undefined)}
        >
          <p>{texts.revokeBody}</p>
        </ConfirmDialog>
      )}
    </>
  );
}

function useColumns(revoke: (token: Token) => void): Column<Token>[] {
  const { tokens: texts, ...common } = useTexts('access');
  return [
    { title: common.name, role: 'heading', cell: (token) => <Name token={token} /> },
    { title: texts.owner, cell: ({ owner }) => owner && <Owner owner={owner} /> },
    { title: texts.scopes, cell: ({ scopes }) => <PermissionList permissions={scopes} small /> },
    { title: texts.lastUsed, cell: ({ last_used_at }) => (last_used_at ? <DateTime value={last_used_at} /> : common.never) },
    { title: texts.expires, cell: (token) => <Expiry token={token} /> },
    {
      title: common.actions,
      role: 'actions',
      cell: (token) => (
        <Button small onClick={() => revoke(token)} label={texts.revokeOf(token.name)}>
          {texts.revoke}
        </Button>
      ),
    },
  ];
}

function Name({ token: { name, prefix } }: { token: Token }) {
  return (
    <div class="p-name">
      <bdi>{name}</bdi>
      <code class="p-muted p-small">{prefix}…</code>
    </div>
  );
}

function Owner({ owner: { kind, name } }: { owner: ApiTokenOwner }) {
  const { tokens: texts } = useTexts('access');
  return (
    <div class="p-name">
      <bdi>{name}</bdi>
      <span class="p-muted p-small">{texts.ownerKinds[kind]}</span>
    </div>
  );
}

function Expiry({ token: { expires_at } }: { token: Token }) {
  const { tokens: texts } = useTexts('access');
  const isExpired = Date.parse(expires_at) <= Date.now();
  return isExpired ? <Badge kind="warning">{texts.expired}</Badge> : <DateTime value={expires_at} dateOnly />;
}
