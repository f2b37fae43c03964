import { signOut } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { connect, expectSignOut } from '../app/http.ts';
import { QueriesProvider } from '../app/queries.tsx';
import { useTexts } from '../app/texts.ts';
import { AppFrame } from '../kit/app-frame.tsx';
import { Button } from '../kit/button.tsx';
import { Loaded } from '../kit/loaded.tsx';
import { SessionContext, useSessionQuery } from './parts/session.tsx';

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
  const leave = async () => {
    expectSignOut();
    await signOut();
  };
  return (
    <AppFrame
      home="/portal"
      layout="top"
      links={[{ href: '/portal', label: texts.home.title }]}
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
