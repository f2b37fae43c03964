import { useState } from 'preact/hooks';
import type { Result } from '../../app/call.ts';
import type { NextStepProps } from '../../app/next-step.ts';
import { useTexts } from '../../app/texts.ts';
import { Button } from '../button.tsx';
import { Checkbox } from '../checkbox.tsx';
import { PageTitle } from '../page-title.tsx';
import { EndedNotice, useSignInEnd } from './ended-notice.tsx';
import { FactorForm, type EnteredFactor } from './factor-form.tsx';

/** How a sign-in is completed with a second factor. */
export interface VerifyCalls<Session> {
  verify: (body: EnteredFactor & { challenge: string; trust_device?: boolean }) => Promise<Result<Session>>;
  /** Ends the sign-in. */
  cancel: (challenge: string) => Promise<unknown>;
}

/** The second step of a sign-in of a user who has a second factor. */
export function VerifyStep<Session>({ challenge, verify, cancel, onSignedIn, onCancel }: NextStepProps<Session> & VerifyCalls<Session>) {
  const { verify: texts } = useTexts('secondStep');
  const { cancel: cancelText } = useTexts('signedIn');
  const [misses, setMisses] = useState(0);
  const end = useSignInEnd(challenge.expires_in, misses);
  const { challenge: secret, methods, trusted_device_days: days } = challenge;
  const leave = async () => {
    await cancel(secret);
    onCancel();
  };
  return (
    <>
      <PageTitle key="verify">{texts.title}</PageTitle>
      {end ? (
        <EndedNotice end={end} onAgain={onCancel} />
      ) : (
        <>
          <p>{texts.intro}</p>
          <FactorForm
            methods={methods}
            send={(factor, values) => verify({ challenge: secret, ...factor, ...(values.has('trust') && { trust_device: true }) })}
            onSent={(session) => session && onSignedIn(session)}
            onRefused={() => setMisses((count) => count + 1)}
            submit={texts.submit}
            actions={
              <Button kind="plain" onClick={leave}>
                {cancelText}
              </Button>
            }
          >
            {days > 0 && <Checkbox name="trust">{texts.trust(days)}</Checkbox>}
          </FactorForm>
        </>
      )}
    </>
  );
}
