import { activateAccount, type Session } from '@portico/client';
import { useState } from 'preact/hooks';
import { afterSignIn } from '../app/navigation.ts';
import { withNextStep, type NextStep } from '../app/next-step.ts';
import { useLocale } from '../app/texts.ts';
import { Card } from '../kit/card.tsx';
import { EntryFrame } from '../kit/entry-frame.tsx';
import { SetPasswordForm } from './parts/set-password-form.tsx';
import { signedInNow } from './parts/signed-in-now.ts';

/** The page that activates an account with the link of an invitation, and signs in. */
export default function ActivatePage() {
  const locale = useLocale();
  const [step, setStep] = useState<NextStep<Session>>();
  const leave = (result?: Session | NextStep<Session>) => {
    if (result?.status === 'next_step') return setStep(result);
    if (result) signedInNow(result);
    location.replace(afterSignIn('portal'));
  };
  if (step) {
    return (
      <EntryFrame>
        <Card>
          {/* The link is used, so only the sign-in page leads on. */}
          <step.Step challenge={step.challenge} onSignedIn={leave} onCancel={() => location.replace('/portal/sign-in')} />
        </Card>
      </EntryFrame>
    );
  }
  return (
    <SetPasswordForm
      purpose="activation"
      send={(body) => withNextStep(activateAccount({ body }), locale, () => import('./parts/next-step.tsx'))}
      onSet={leave}
    />
  );
}
