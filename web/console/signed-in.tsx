import { useQuery } from '@tanstack/preact-query';
import { getStaffSession, type CurrentStaffSession } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useTenantBrand } from '../app/brand.tsx';
import { connect } from '../app/http.ts';
import { dataOf, QueriesProvider } from '../app/queries.tsx';
import { useTexts } from '../app/texts.ts';
import { AppFrame } from '../kit/app-frame.tsx';
import { Loaded } from '../kit/loaded.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { OneIdentity } from '../start/one-identity.tsx';
import { RequiredFactor } from '../start/required-factor.tsx';
import { navigationLinks } from './parts/navigation.ts';
import { useLanguageOfProfile } from './parts/profile.ts';
import { SessionContext } from './parts/session.tsx';
import { UserMenu } from './parts/user-menu.tsx';

connect('staff');

/** Asks for the session, and surrounds the pages after sign-in with brand and navigation. */
export default function SignedIn({ children }: { children: ComponentChildren }) {
  return (
    <QueriesProvider>
      <WithSession>{children}</WithSession>
    </QueriesProvider>
  );
}

function WithSession({ children }: { children: ComponentChildren }) {
  const texts = useTexts('console');
  const { pageFailed } = useTexts('common');
  const session = useQuery({ queryKey: ['session'], queryFn: () => dataOf(getStaffSession()) });
  const user = session.data?.user;
  useTenantBrand(user?.tenant.slug);
  useLanguageOfProfile(user !== undefined);
  return (
    <AppFrame
      home="/console"
      layout="side"
      links={session.data ? navigationLinks(session.data, texts.navigation) : []}
      tools={user && <UserMenu user={user} />}
    >
      {session.error && !session.data && <PageHead title={pageFailed.title} />}
      <Loaded query={session}>{(data) => <ForUser session={data}>{children}</ForUser>}</Loaded>
    </AppFrame>
  );
}

/** Shows the pages as long as the same staff user is signed in. */
function ForUser({ session, children }: { session: CurrentStaffSession; children: ComponentChildren }) {
  return (
    <OneIdentity realm="staff" current={{ userId: session.user.id, clientId: null }}>
      <SessionContext.Provider value={session}>
        <RequiredFactor
          dueAt={session.session.mfa.due_at}
          setUpAt="/console/account"
          texts={['secondStep', 'access', 'problems']}
          load={() => import('./parts/factors/required-factor.tsx')}
        >
          {children}
        </RequiredFactor>
      </SessionContext.Provider>
    </OneIdentity>
  );
}
