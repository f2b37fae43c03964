import { useTexts } from '../app/texts.ts';
import { Card } from '../kit/card.tsx';
import { EmptyState } from '../kit/empty-state.tsx';
import { Fact, Facts } from '../kit/facts.tsx';
import { Notice } from '../kit/notice.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { ClientChoice } from './parts/client-choice.tsx';
import { useSession } from './parts/session.tsx';
import { Support } from './parts/support.tsx';
import { Tasks } from './parts/tasks.tsx';

/** The start page of a portal user: who they are, for which client they act, and what they can do. */
export default function HomePage() {
  const texts = useTexts('portal');
  const { user, client, clients, tenant } = useSession();
  return (
    <>
      <PageHead title={texts.home.welcome(user.name)} />
      {!client && clients.length > 0 && <ClientChoice address="/portal" />}
      {!client && clients.length === 0 && <EmptyState title={texts.home.noClient}>{texts.home.noClientHint}</EmptyState>}
      {client?.status === 'past_due' && <Notice kind="warning">{texts.home.pastDue}</Notice>}
      <Card>
        <Facts>
          {client && (
            <Fact name={texts.home.client}>
              <strong dir="auto">{client.name}</strong>
            </Fact>
          )}
          {client && <Fact name={texts.role}>{texts.roles[client.role]}</Fact>}
          {tenant && (
            <Fact name={texts.home.provider}>
              <span dir="auto">{tenant.name}</span>
            </Fact>
          )}
          <Fact name={texts.email}>{user.email}</Fact>
        </Facts>
      </Card>
      <Tasks />
      {tenant && <Support tenant={tenant} />}
    </>
  );
}
