import type { TotpSetup as Setup } from '@portico/client';
import { useState } from 'preact/hooks';
import type { Result } from '../../app/call.ts';
import type { NextStepProps } from '../../app/next-step.ts';
import { useTexts } from '../../app/texts.ts';
import { Button } from '../button.tsx';
import { Form } from '../form.tsx';
import { PageTitle } from '../page-title.tsx';
import { EndedNotice, useSignInEnd } from './ended-notice.tsx';
import { MailedCode } from './mailed-code.tsx';
import { RecoveryCodes } from './recovery-codes.tsx';
import { TotpSetup } from './totp-setup.tsx';

/** A session that was opened by the setup of a second factor. */
type Enrolled<Session> = Session & { recovery_codes: string[]; user: { email: string } };

/** How a second factor is set up during a sign-in. */
export interface EnrolCalls<Session> {
  sendMailCode: (challenge: string) => Promise<Result<unknown>>;
  setUp: (body: { challenge: string; mail_code?: string }) => Promise<Result<Setup>>;
  enable: (body: { challenge: string; code: string }) => Promise<Result<Enrolled<Session>>>;
  cancel: (challenge: string) => Promise<unknown>;
}

/** The second step of a sign-in of a user who must set a second factor up first. */
export function EnrolStep<Session>({ challenge, onSignedIn, onCancel, ...calls }: NextStepProps<Session> & EnrolCalls<Session>) {
  const { enrol: texts, codes } = useTexts('secondStep');
  const { cancel: cancelText } = useTexts('signedIn');
  const [setup, setSetup] = useState<Setup>();
  const [enrolled, setEnrolled] = useState<Enrolled<Session>>();
  const [misses, setMisses] = useState(0);
  const end = useSignInEnd(challenge.expires_in, misses);
  const secret = challenge.challenge;

  if (enrolled) {
    return (
      <>
        <PageTitle key="codes">{codes.title}</PageTitle>
        <RecoveryCodes codes={enrolled.recovery_codes} account={enrolled.user.email} onStored={() => onSignedIn(enrolled)} />
      </>
    );
  }
  const leave = async () => {
    await calls.cancel(secret);
    onCancel();
  };
  const cancel = (
    <Button kind="plain" onClick={leave}>
      {cancelText}
    </Button>
  );
  const setUp = (mailCode?: string) => calls.setUp({ challenge: secret, ...(mailCode && { mail_code: mailCode }) });
  return (
    <>
      <PageTitle key={setup ? 'setup' : 'enrol'}>{texts.title}</PageTitle>
      {end && <EndedNotice end={end} onAgain={onCancel} />}
      {!end && !setup && <p>{texts.required}</p>}
      {!end && !setup && challenge.mail_code_required && (
        <MailedCode send={() => calls.sendMailCode(secret)} verify={setUp} onVerified={setSetup} actions={cancel} />
      )}
      {!end && !setup && !challenge.mail_code_required && (
        <Form send={() => setUp()} onSent={setSetup} submit={texts.start} actions={cancel}>
          {null}
        </Form>
      )}
      {!end && setup && (
        <TotpSetup
          setup={setup}
          confirm={(code) => calls.enable({ challenge: secret, code })}
          onConfirmed={setEnrolled}
          onRefused={() => setMisses((count) => count + 1)}
          onAgain={async () => setSetup((await setUp()).data)}
          actions={cancel}
        />
      )}
    </>
  );
}
