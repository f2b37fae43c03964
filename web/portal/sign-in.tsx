import { signIn, type PorticoError, type Session } from '@portico/client';
import { useState } from 'preact/hooks';
import { useLocation } from '../app/location.tsx';
import { leaveSignIn } from '../app/navigation.ts';
import { withNextStep, type NextStep } from '../app/next-step.ts';
import { useLocale, useTexts } from '../app/texts.ts';
import { Card } from '../kit/card.tsx';
import { EntryFrame } from '../kit/entry-frame.tsx';
import { Form, textOf } from '../kit/form.tsx';
import { Notice } from '../kit/notice.tsx';
import { PageTitle } from '../kit/page-title.tsx';
import { PasswordField } from '../kit/password-field.tsx';
import { SessionOffer } from '../kit/session-offer.tsx';
import { TextField } from '../kit/text-field.tsx';
import { entryPath } from './parts/entry-path.ts';
import { forgetSignInPlan, plannedSignIn, type SignInPlan } from './parts/sign-in-plan.ts';
import { signedInNow } from './parts/signed-in-now.ts';

/** The sign-in page of portal users. */
export default function SignInPage() {
  const { signIn: texts, ...common } = useTexts('entry');
  const reasons: Record<string, string> = texts.reasons;
  const reason = useLocation().query.get('reason') ?? '';
  const [{ email, invitation }, setPlan] = useState<Partial<SignInPlan>>(() => plannedSignIn() ?? {});

  const locale = useLocale();
  const [step, setStep] = useState<NextStep<Session>>();

  const send = (values: FormData) => {
    const body = { email: textOf(values, 'email'), password: textOf(values, 'password'), ...(invitation && { invitation }) };
    // The form comes back if the second step is cancelled.
    setPlan({ email: body.email, invitation });
    return withNextStep(signIn({ body }), locale, () => import('./parts/next-step.tsx'));
  };
  const describe = ({ code }: PorticoError) => {
    if (code === 'invalid_credentials') return texts.wrong;
    if (code === 'wrong_account') return texts.wrongAccount;
    return code.startsWith('token_') ? texts.invitationDead : undefined;
  };
  const dropInvitation = ({ code }: PorticoError) => {
    if (code !== 'wrong_account' && !code.startsWith('token_')) return;
    forgetSignInPlan();
    setPlan({ email });
  };
  const leave = (result?: Session | NextStep<Session>) => {
    if (result?.status === 'next_step') return setStep(result);
    forgetSignInPlan();
    if (result) signedInNow(result);
    leaveSignIn('portal');
  };
  if (step) {
    return (
      <EntryFrame>
        <Card>
          <step.Step challenge={step.challenge} onSignedIn={leave} onCancel={() => setStep(undefined)} />
        </Card>
      </EntryFrame>
    );
  }
  return (
    <EntryFrame>
      <Card>
        <PageTitle>{texts.title}</PageTitle>
        {Object.hasOwn(reasons, reason) && <Notice kind={reason === 'password_reset' ? 'success' : 'info'}>{reasons[reason]}</Notice>}
        {invitation && <Notice>{texts.invitation}</Notice>}
        {!invitation && <SessionOffer realm="portal" load={() => import('./parts/continue-as.tsx')} />}
        <Form send={send} onSent={leave} onProblem={dropInvitation} describe={describe} submit={texts.submit}>
          <TextField name="email" type="email" label={common.email} autocomplete="username" value={email} required />
          <PasswordField name="password" label={common.password} autocomplete="current-password" required />
        </Form>
        <a href={entryPath('/portal/forgot-password')}>{texts.forgot}</a>
      </Card>
    </EntryFrame>
  );
}
