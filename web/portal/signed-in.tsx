import type { CurrentSession } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { useTenantBrand } from '../app/brand.tsx';
import { connect } from '../app/http.ts';
import type { Identity } from '../app/identity.ts';
import { QueriesProvider } from '../app/queries.tsx';
import { setLocale } from '../app/locale-provider.tsx';
import { useTexts, type Bundles } from '../app/texts.ts';
import { AppFrame } from '../kit/app-frame.tsx';
import { Loaded } from '../kit/loaded.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { OneIdentity } from '../start/one-identity.tsx';
import { RequiredFactor } from '../start/required-factor.tsx';
import { ClientMenu } from './parts/client-menu.tsx';
import { SessionContext, useSessionQuery } from './parts/session.tsx';
import { UserMenu } from './parts/user-menu.tsx';

connect('portal');

/** Asks for the session, and surrounds the pages after sign-in with brand and navigation. */
export default function SignedIn({ children }: { children: ComponentChildren }) {
  return (
    <QueriesProvider>
      <WithSession>{children}</WithSession>
    </QueriesProvider>
  );
}

function WithSession({ children }: { children: ComponentChildren }) {
  const texts = useTexts('portal');
  const { pageFailed } = useTexts('common');
  const session = useSessionQuery();
  return (
    <AppFrame home="/portal" layout="top" links={linksOf(session.data, texts)} tools={session.data && <Tools session={session.data} />}>
      {session.error && !session.data && <PageHead title={pageFailed.title} />}
      <Loaded query={session}>{(data) => <ForUser session={data}>{children}</ForUser>}</Loaded>
    </AppFrame>
  );
}

function linksOf(session: CurrentSession | undefined, texts: Bundles['portal']) {
  const colleagues = { href: '/portal/colleagues', label: texts.colleagues.title };
  return [
    { href: '/portal', label: texts.home.title },
    ...(session?.client?.role === 'admin' ? [colleagues] : []),
    { href: '/portal/account', label: texts.account.title },
  ];
}

function Tools({ session }: { session: CurrentSession }) {
  return (
    <>
      {session.client && session.clients.length > 1 && <ClientMenu client={session.client} clients={session.clients} />}
      <UserMenu user={session.user} />
    </>
  );
}

/** Shows the pages in the language of the user and with the brand of the client's tenant. */
function ForUser({ session, children }: { session: CurrentSession; children: ComponentChildren }) {
  const { changedElsewhere } = useTexts('portal');
  useEffect(() => void setLocale(session.user.locale), [session.user.locale]);
  useTenantBrand(session.tenant?.slug ?? null);
  return (
    <OneIdentity realm="portal" current={identityOf(session)} clientChanged={changedElsewhere}>
      <SessionContext.Provider value={session}>
        <RequiredFactor
          dueAt={session.session.mfa.due_at}
          setUpAt="/portal/account/second-factors"
          texts={['secondStep', 'problems']}
          load={() => import('./parts/required-factor.tsx')}
        >
          {children}
        </RequiredFactor>
      </SessionContext.Provider>
    </OneIdentity>
  );
}

const identityOf = ({ user, client }: CurrentSession): Identity => ({ userId: user.id, clientId: client?.id ?? null });
