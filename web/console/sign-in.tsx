import { verifyCode, type StaffSession } from '@portico/client';
import { announceIdentity } from '../app/identity.ts';
import { leaveSignIn } from '../app/navigation.ts';
import { useLocation } from '../app/location.tsx';
import { useTexts } from '../app/texts.ts';
import { Button } from '../kit/button.tsx';
import { Card } from '../kit/card.tsx';
import { EntryFrame } from '../kit/entry-frame.tsx';
import { Form, textOf } from '../kit/form.tsx';
import { Notice } from '../kit/notice.tsx';
import { PageTitle } from '../kit/page-title.tsx';
import { SessionOffer } from '../kit/session-offer.tsx';
import { TextField } from '../kit/text-field.tsx';
import { forgetCodeFlow, requestCode, useCodeFlow, type CodeFlow } from './parts/codes/code-flow.ts';
import { CodeForm } from './parts/codes/code-form.tsx';

/** The sign-in page of staff users: the address first, then the code that was mailed to it. */
export default function SignInPage() {
  const [flow, setFlow] = useCodeFlow('sign-in');
  return (
    <EntryFrame>
      <Card>{flow ? <CodeStep flow={flow} onFlow={setFlow} /> : <AddressStep onFlow={setFlow} />}</Card>
    </EntryFrame>
  );
}

function AddressStep({ onFlow }: { onFlow: (flow?: CodeFlow) => void }) {
  const { signIn: texts } = useTexts('access');
  const reasons: Record<string, string> = texts.reasons;
  const reason = useLocation().query.get('reason') ?? '';
  return (
    <>
      <PageTitle key="address">{texts.title}</PageTitle>
      {Object.hasOwn(reasons, reason) && <Notice>{reasons[reason]}</Notice>}
      <SessionOffer realm="staff" load={() => import('./parts/continue-as.tsx')} />
      <p>{texts.intro}</p>
      <Form send={(values) => requestCode(textOf(values, 'email'))} onSent={onFlow} submit={texts.send}>
        <TextField name="email" type="email" label={texts.email} autocomplete="username" required autoFocus />
      </Form>
    </>
  );
}

function CodeStep({ flow, onFlow }: { flow: CodeFlow; onFlow: (flow?: CodeFlow) => void }) {
  const { signIn: texts } = useTexts('access');
  const signedIn = (session?: StaffSession) => {
    forgetCodeFlow('sign-in');
    if (session) announceIdentity('staff', { userId: session.user.id, clientId: null });
    leaveSignIn('staff');
  };
  return (
    <>
      <PageTitle key="code">{texts.codeTitle}</PageTitle>
      <CodeForm
        flow={flow}
        sent={texts.sent(flow.email)}
        onFlow={onFlow}
        verify={(code) => verifyCode({ body: { flow: flow.id, code } })}
        onVerified={signedIn}
        submit={texts.submit}
        actions={
          <Button small onClick={() => onFlow(undefined)}>
            {texts.otherAddress}
          </Button>
        }
      />
    </>
  );
}
