import { acceptInvitation, getSession, signOut, switchClient, type CurrentSession } from '@portico/client';
import { useTexts } from '../app/texts.ts';
import { Button } from '../kit/button.tsx';
import { Form } from '../kit/form.tsx';
import { Notice } from '../kit/notice.tsx';
import { PageTitle } from '../kit/page-title.tsx';
import { Spinner } from '../kit/spinner.tsx';
import { AccountOfLink } from './parts/account-of-link.tsx';
import { deadCode } from './parts/checked-link.ts';
import { useCurrentUser } from './parts/current-user.ts';
import { LinkPage, type LiveLink } from './parts/link-page.tsx';
import { planSignIn } from './parts/sign-in-plan.ts';
import { signedInNow } from './parts/signed-in-now.ts';

/** The page that accepts an invitation with an account that is active already. */
export default function AcceptInvitationPage() {
  const { accept: texts } = useTexts('links');
  return (
    <LinkPage purpose="accept" title={texts.title}>
      {(live) => <Invitation live={live} />}
    </LinkPage>
  );
}

function Invitation({ live }: { live: LiveLink }) {
  const { accept: texts } = useTexts('links');
  const session = useCurrentUser();
  return (
    <>
      <PageTitle>{texts.title}</PageTitle>
      {live.link.client_name && <p>{texts.intro(live.link.client_name)}</p>}
      <AccountOfLink link={live.link} />
      {session === undefined && <Spinner />}
      {session && session.user.email === live.link.email && <Accept live={live} session={session} />}
      {session && session.user.email !== live.link.email && <WrongAccount live={live} email={session.user.email} />}
      {session === null && <SignedOut live={live} />}
    </>
  );
}

function Accept({ live, session }: { live: LiveLink; session: CurrentSession }) {
  const { accept: texts } = useTexts('links');
  return (
    <Form
      send={() => acceptInvitation({ body: { token: live.token } })}
      onSent={async () => {
        live.forget();
        await enterNewClient(session);
        location.replace('/portal');
      }}
      onProblem={(problem) => {
        const code = deadCode(problem);
        if (code) live.setDead(code);
        return code !== undefined;
      }}
      submit={texts.submit}
    >
      {null}
    </Form>
  );
}

/** Lets the session act for the client that the user has just joined. */
async function enterNewClient(before: CurrentSession): Promise<void> {
  const { data } = await getSession();
  const known = new Set(before.clients.map(({ id }) => id));
  const joined = data?.clients.find(({ id }) => !known.has(id));
  if (!joined) return;
  const { data: session } = await switchClient({ body: { client_id: joined.id } });
  if (session) signedInNow(session);
}

function WrongAccount({ live, email }: { live: LiveLink; email: string }) {
  const { accept: texts } = useTexts('links');
  return (
    <>
      <Notice kind="warning">{texts.wrongAccount(email)}</Notice>
      <Form send={() => signOut()} onSent={() => signInForInvitation(live)} submit={texts.change}>
        {null}
      </Form>
    </>
  );
}

function SignedOut({ live }: { live: LiveLink }) {
  const { accept: texts } = useTexts('links');
  return (
    <>
      <p>{texts.signedOut}</p>
      <div class="p-actions">
        <Button kind="primary" onClick={() => signInForInvitation(live)}>
          {texts.signIn}
        </Button>
      </div>
    </>
  );
}

/** Leads to the sign-in page, whose next sign-in accepts the invitation. */
function signInForInvitation({ link, token }: LiveLink): void {
  planSignIn({ email: link.email, invitation: token });
  location.assign('/portal/sign-in');
}
