import { listServiceAccounts } from '@portico/client';
import { useState } from 'preact/hooks';
import { useTexts } from '../app/texts.ts';
import { Button } from '../kit/button.tsx';
import { Card } from '../kit/card.tsx';
import { EmptyState } from '../kit/empty-state.tsx';
import { LoadMore } from '../kit/load-more.tsx';
import { Loaded } from '../kit/loaded.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { useList } from './parts/list.tsx';
import { useMay } from './parts/permissions.ts';
import { ServiceAccountCard } from './parts/service-accounts/account-card.tsx';
import { CreateServiceAccount } from './parts/service-accounts/account-dialogs.tsx';
import { StaffStepUp } from './parts/codes/step-up.tsx';

/** The service accounts of the company, each with its tokens. */
export default function ServiceAccountsPage() {
  const { serviceAccounts: texts } = useTexts('access');
  const mayEdit = useMay('staff:edit');
  const [isCreating, setCreating] = useState(false);
  return (
    <StaffStepUp>
      <PageHead title={texts.title}>
        {mayEdit && (
          <Button kind="primary" onClick={() => setCreating(true)}>
            {texts.create}
          </Button>
        )}
      </PageHead>
      <p class="p-muted">{texts.intro}</p>
      <Accounts />
      {isCreating && <CreateServiceAccount onClose={() => setCreating(false)} />}
    </StaffStepUp>
  );
}

function Accounts() {
  const { serviceAccounts: texts } = useTexts('access');
  const list = useList(['service-accounts'], (cursor) => listServiceAccounts({ query: { cursor } }));
  return (
    <Loaded query={list} lines={6}>
      {(accounts) =>
        accounts.length === 0 ? (
          <Card>
            <EmptyState title={texts.empty}>{texts.emptyBody}</EmptyState>
          </Card>
        ) : (
          <>
            {accounts.map((account) => (
              <ServiceAccountCard key={account.id} account={account} />
            ))}
            <LoadMore query={list} />
          </>
        )
      }
    </Loaded>
  );
}
