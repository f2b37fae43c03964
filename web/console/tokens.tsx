import { createOwnToken, listOwnTokens, listTokens, revokeOwnToken, revokeToken } from '@portico/client';
import { useState } from 'preact/hooks';
import { queries } from '../app/queries.tsx';
import { useTexts } from '../app/texts.ts';
import { Button } from '../kit/button.tsx';
import { Card } from '../kit/card.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { CreateToken } from './parts/tokens/create-token.tsx';
import { useList } from './parts/list.tsx';
import { useMay } from './parts/permissions.ts';
import { scopesAmong } from './parts/staff/roles.ts';
import { useSession } from './parts/session.tsx';
import { StaffStepUp } from './parts/codes/step-up.tsx';
import { TokenTable } from './parts/tokens/token-table.tsx';

const reload = () => queries.invalidateQueries({ queryKey: ['tokens'] });

/** The API tokens of the staff user. An owner also sees all tokens of the company. */
export default function TokensPage() {
  const { tokens: texts } = useTexts('access');
  const { permissions } = useSession();
  const [isCreating, setCreating] = useState(false);
  return (
    <StaffStepUp>
      <PageHead title={texts.title}>
        <Button kind="primary" onClick={() => setCreating(true)}>
          {texts.create}
        </Button>
      </PageHead>
      <OwnTokens />
      {useMay('staff:edit') && <AllTokens />}
      {isCreating && (
        <CreateToken
          title={texts.create}
          scopes={scopesAmong(permissions)}
          create={(body) => createOwnToken({ body })}
          onCreated={reload}
          onClose={() => setCreating(false)}
        />
      )}
    </StaffStepUp>
  );
}

function OwnTokens() {
  const { tokens: texts } = useTexts('access');
  const list = useList(['tokens', 'own'], (cursor) => listOwnTokens({ query: { cursor } }));
  const revoke = (id: string) => revokeOwnToken({ path: { token_id: id } });
  return (
    <Card title={texts.own}>
      <p class="p-muted">{texts.ownIntro}</p>
      <TokenTable caption={texts.own} list={list} revoke={revoke} onRevoked={reload} />
    </Card>
  );
}

function AllTokens() {
  const { tokens: texts } = useTexts('access');
  const list = useList(['tokens', 'all'], (cursor) => listTokens({ query: { cursor } }));
  const revoke = (id: string) => revokeToken({ path: { token_id: id } });
  return (
    <Card title={texts.all}>
      <p class="p-muted">{texts.allIntro}</p>
      <TokenTable caption={texts.all} list={list} showOwner revoke={revoke} onRevoked={reload} />
    </Card>
  );
}
