import { verifyCode, type StaffSession } from '@portico/client';
import { useState } from 'preact/hooks';
import { announceIdentity } from '../app/identity.ts';
import { leaveSignIn } from '../app/navigation.ts';
import { useLocation } from '../app/location.tsx';
import { withNextStep, type NextStep } from '../app/next-step.ts';
import { useLocale, useTexts } from '../app/texts.ts';
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

/** The sign-in page of staff users: the address first, then the code that was mailed to it, then a second factor. */
export default function SignInPage() {
  const [flow, setFlow] = useCodeFlow('sign-in');
  const [step, setStep] = useState<NextStep<StaffSession>>();
  const leave = (result?: StaffSession | NextStep<StaffSession>) => {
    if (result?.status === 'next_step') {
      // The code is used.
      setFlow(undefined);
      return setStep(result);
    }
    forgetCodeFlow('sign-in');
    if (result) announceIdentity('staff', { userId: result.user.id, clientId: null });
    leaveSignIn('staff');
  };
  return (
    <EntryFrame>
      <Card>
        {step && <step.Step challenge={step.challenge} onSignedIn={leave} onCancel={() => setStep(undefined)} />}
        {!step && flow && <CodeStep flow={flow} onFlow={setFlow} onSignedIn={leave} />}
        {!step && !flow && <AddressStep onFlow={setFlow} />}
      </Card>
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

interface CodeStepProps {
  flow: CodeFlow;
  onFlow: (flow?: CodeFlow) => void;
  onSignedIn: (result?: StaffSession | NextStep<StaffSession>) => void;
}

function CodeStep({ flow, onFlow, onSignedIn }: CodeStepProps) {
  const { signIn: texts } = useTexts('access');
  const locale = useLocale();
  const verify = (code: string) =>
    withNextStep(verifyCode({ body: { flow: flow.id, code } }), locale, () => import('./parts/codes/next-step.tsx'));
  return (
    <>
      <PageTitle key="code">{texts.codeTitle}</PageTitle>
      <CodeForm
        flow={flow}
        sent={texts.sent(flow.email)}
        onFlow={onFlow}
        verify={verify}
        onVerified={onSignedIn}
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
