import { useQuery } from '@tanstack/preact-query';
import { getStaffSession, signOutStaff } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { connect, expectSignOut } from '../app/http.ts';
import { dataOf, QueriesProvider } from '../app/queries.tsx';
import { useTexts } from '../app/texts.ts';
import { AppFrame } from '../kit/app-frame.tsx';
import { Button } from '../kit/button.tsx';
import { Loaded } from '../kit/loaded.tsx';
import { SessionContext } from './parts/session.tsx';

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
  const session = useQuery({ queryKey: ['session'], queryFn: () => dataOf(getStaffSession()) });
  const leave = async () => {
    expectSignOut();
    await signOutStaff();
  };
  return (
    <AppFrame
      home="/console"
      layout="side"
      links={[{ href: '/console', label: texts.overview.title }]}
      tools={
        <Button kind="plain" small onClick={leave}>
          {texts.signOut}
        </Button>
      }
    >
      <Loaded query={session}>{(data) => <SessionContext.Provider value={data}>{children}</SessionContext.Provider>}</Loaded>
    </AppFrame>
  );
}
