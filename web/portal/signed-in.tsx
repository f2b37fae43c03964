import type { CurrentSession } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useTenantBrand } from '../app/brand.tsx';
import { connect } from '../app/http.ts';
import { announceIdentity, type Identity } from '../app/identity.ts';
import { isSameIdentity, useIdentityOfOtherTabs } from '../app/other-tabs.ts';
import { QueriesProvider } from '../app/queries.tsx';
import { setLocale } from '../app/locale-provider.tsx';
import { useTexts, type Bundles } from '../app/texts.ts';
import { AppFrame } from '../kit/app-frame.tsx';
import { Loaded } from '../kit/loaded.tsx';
import { Notice } from '../kit/notice.tsx';
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
  const session = useSessionQuery();
  return (
    <AppFrame home="/portal" layout="top" links={linksOf(session.data, texts)} tools={session.data && <Tools session={session.data} />}>
      <Loaded query={session}>{(data) => <OneIdentity session={data}>{children}</OneIdentity>}</Loaded>
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

/** Shows the pages as long as the same user acts for the same client. Otherwise it reloads the page. */
function OneIdentity({ session, children }: { session: CurrentSession; children: ComponentChildren }) {
  const own = useRef(identityOf(session)).current;
  const [other, setOther] = useState<Identity>();
  const now = other ?? identityOf(session);
  const isSame = isSameIdentity(own, now);
  useIdentityOfOtherTabs('portal', own, setOther);
  useEffect(() => announceIdentity('portal', own), []);
  useEffect(() => {
    if (!isSame) location.reload();
  }, [isSame]);
  useEffect(() => void setLocale(session.user.locale), [session.user.locale]);
  useTenantBrand(session.tenant?.slug ?? null);

  const { signedInElsewhere } = useTexts('signedIn');
  const { changedElsewhere } = useTexts('portal');
  if (!isSame) return <Notice>{own.userId === now.userId ? changedElsewhere : signedInElsewhere}</Notice>;
  return <SessionContext.Provider value={session}>{children}</SessionContext.Provider>;
}

const identityOf = ({ user, client }: CurrentSession): Identity => ({ userId: user.id, clientId: client?.id ?? null });
