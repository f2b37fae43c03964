import { createServiceAccountToken, listServiceAccountTokens, revokeServiceAccountToken, type ServiceAccount } from '@portico/client';
import { useId, useState } from 'preact/hooks';
import { queries } from '../../../app/queries.tsx';
import { useFormatLocale } from '../../../app/format-locale.ts';
import { useTexts } from '../../../app/texts.ts';
import { Badge } from '../../../kit/badge.tsx';
import { Button } from '../../../kit/button.tsx';
import { Card } from '../../../kit/card.tsx';
import { formatTime } from '../../../kit/date-time.tsx';
import { CreateToken } from '../tokens/create-token.tsx';
import { useList } from '../list.tsx';
import { useMay } from '../permissions.ts';
import { permissionsOfRole, scopesAmong } from '../staff/roles.ts';
import { RemoveServiceAccount } from './account-dialogs.tsx';
import { useStepUp } from '../../../kit/factors/step-up.tsx';
import { TokenTable } from '../tokens/token-table.tsx';

/** A service account. Its tokens are loaded when the user opens them. */
export function ServiceAccountCard({ account }: { account: ServiceAccount }) {
  const { serviceAccounts: texts, tokens } = useTexts('access');
  const { staffRoles } = useTexts('console');
  const locale = useFormatLocale();
  const mayEdit = useMay('staff:edit');
  const [isOpen, setOpen] = useState(false);
  const [dialog, setDialog] = useState<'token' | 'remove'>();
  const id = useId();
  const close = () => setDialog(undefined);
  const buttons = mayEdit && (
    <>
      <Button small onClick={() => setDialog('token')} label={tokens.createFor(account.name)}>
        {tokens.create}
      </Button>
      <Button small onClick={() => setDialog('remove')} label={texts.removeOf(account.name)}>
        {texts.remove}
      </Button>
    </>
  );
  return (
    <Card title={account.name} actions={buttons}>
      <p class="p-name-line">
        <Badge>{staffRoles[account.role]}</Badge>
        <span class="p-muted p-small">
          {texts.createdOn(formatTime(account.created_at, locale, true))}
        </span>
      </p>
      <button type="button" class="p-disclosure" aria-expanded={isOpen} aria-controls={id} onClick={() => setOpen(!isOpen)}>
        {isOpen ? texts.hideTokens : texts.showTokens}
      </button>
      <div id={id} hidden={!isOpen}>
        {isOpen && <AccountTokens account={account} />}
      </div>
      {dialog === 'token' && <CreateAccountToken account={account} onClose={close} onCreated={() => setOpen(true)} />}
      {dialog === 'remove' && <RemoveServiceAccount account={account} onClose={close} />}
    </Card>
  );
}

const keyOf = ({ id }: ServiceAccount) => ['tokens', 'service-account', id];
const reload = () => queries.invalidateQueries({ queryKey: ['tokens'] });

function AccountTokens({ account }: { account: ServiceAccount }) {
  const { serviceAccounts: texts } = useTexts('access');
  const mayEdit = useMay('staff:edit');
  const { whenFresh } = useStepUp();
  const list = useList(keyOf(account), (cursor) =>
    listServiceAccountTokens({ path: { account_id: account.id }, query: { cursor } }),
  );
  const revoke = (token_id: string) =>
    whenFresh(() => revokeServiceAccountToken({ path: { account_id: account.id, token_id } }));
  return (
    <TokenTable
      caption={texts.tokensOf(account.name)}
      list={list}
      revoke={mayEdit ? revoke : undefined}
      onRevoked={reload}
    />
  );
}

interface CreateAccountTokenProps {
  account: ServiceAccount;
  onClose: () => void;
  onCreated: () => void;
}

function CreateAccountToken({ account, onClose, onCreated }: CreateAccountTokenProps) {
  const { tokens: texts } = useTexts('access');
  const created = () => {
    onCreated();
    return reload();
  };
  return (
    <CreateToken
      title={texts.createFor(account.name)}
      scopes={scopesAmong(permissionsOfRole(account.role))}
      create={(body) => createServiceAccountToken({ path: { account_id: account.id }, body })}
      onCreated={created}
      onClose={onClose}
    />
  );
}
