import type { MfaStatus, PorticoError, SignInChallenge } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { Button } from '../kit/button.tsx';
import { Card } from '../kit/card.tsx';
import { CodeField } from '../kit/factors/code-field.tsx';
import { DoneNotice } from '../kit/factors/done-notice.tsx';
import { EndedNotice } from '../kit/factors/ended-notice.tsx';
import { EnrolStep } from '../kit/factors/enrol-step.tsx';
import { FactorForm } from '../kit/factors/factor-form.tsx';
import { useFactorSetup, type SetupCalls } from '../kit/factors/begin-setup.ts';
import { FactorSetup } from '../kit/factors/factor-setup.tsx';
import { FactorsCard } from '../kit/factors/factors-card.tsx';
import { MailedCode } from '../kit/factors/mailed-code.tsx';
import { QrCode } from '../kit/factors/qr-code.tsx';
import { RecoveryCodes } from '../kit/factors/recovery-codes.tsx';
import { RequiredPage } from '../kit/factors/required-page.tsx';
import { StepUpFactor } from '../kit/factors/step-up-factor.tsx';
import { StepUpProvider, useStepUp } from '../kit/factors/step-up.tsx';
import { TotpSetup } from '../kit/factors/totp-setup.tsx';
import { VerifyStep } from '../kit/factors/verify-step.tsx';
import { NAMES, type Entry } from './entry.ts';
import { problem } from './messages.tsx';

const nothing = () => undefined;
const fail = (error: PorticoError) => () => Promise.resolve({ error });
const refuse = fail(problem('invalid_code'));
const SETUP = {
  secret: 'ZXSJA5CJT5QCO25XKDAAV5CSTIJD3HAT',
  otpauth_uri: 'otpauth://totp/Example:ann?secret=ZXSJA5CJT5QCO25XKDAAV5CSTIJD3HAT',
  qr_svg: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path fill="#fff" d="M0 0h9v9H0z"/><path d="M2 2h3v3H2zM6 5h1v2H6z"/></svg>',
  expires_at: '2100-01-01T00:00:00Z',
};
const CODES = Array.from({ length: 10 }, (_, index) => `ZW0${index}-4D2P-F2DB-SQQG`);
const CALLS: SetupCalls & { replaceCodes: typeof refuse; disable: typeof refuse } = {
  setUp: () => Promise.resolve({ data: SETUP }),
  enable: refuse,
  replaceCodes: fail(problem('step_up_required')),
  disable: fail(problem('required_by_tenant')),
};
const OFF = { enabled: false, required: false, due_at: null, totp: false, passkeys: 0, recovery_codes_left: 0, trusted_devices: 0 };
const CHALLENGE: SignInChallenge = {
  status: 'mfa_required',
  challenge: '',
  methods: ['totp', 'recovery_code'],
  mail_code_required: false,
  trusted_device_days: 30,
  expires_in: 900,
};

/** The second step of a sign-in, and second factors in a session. Some of them are whole pages. */
export const FACTORS: Entry[] = [
  {
    name: 'CodeField',
    states: [
      { name: 'for six digits', show: () => <Field /> },
      { name: 'for a recovery code, not valid', show: () => <Field isRecovery /> },
    ],
  },
  {
    name: 'FactorForm',
    states: [{ name: 'that refuses', show: () => <FactorForm methods={['totp', 'recovery_code']} send={refuse} onSent={nothing} submit="Confirm" /> }],
  },
  { name: 'StepUpFactor', states: [{ name: 'alone', show: () => <StepUpFactor verify={refuse} onVerified={nothing} onCancel={nothing} /> }] },
  { name: 'StepUpProvider', states: [{ name: 'with a button that asks', show: () => <Asking /> }] },
  { name: 'QrCode', states: [{ name: 'as an image', show: () => <QrCode svg={SETUP.qr_svg} label="QR code" /> }] },
  { name: 'TotpSetup', states: [{ name: 'begun', show: () => <TotpSetup setup={SETUP} confirm={refuse} onConfirmed={nothing} onAgain={nothing} /> }] },
  { name: 'FactorSetup', states: [{ name: 'begins by a button', show: () => <Setup /> }] },
  { name: 'MailedCode', states: [{ name: 'before it is sent', show: () => <MailedCode send={() => Promise.resolve({})} verify={refuse} onVerified={nothing} actions={null} /> }] },
  { name: 'DoneNotice', states: [{ name: 'on', show: () => <DoneNotice change="on" /> }] },
  {
    name: 'EndedNotice',
    states: (['expired', 'misses'] as const).map((end) => ({ name: end, show: () => <EndedNotice end={end} onAgain={nothing} /> })),
  },
];

const REQUIRED = { ...OFF, required: true };
const ON = { ...OFF, enabled: true, totp: true, recovery_codes_left: 10 };
/** The states of the card of second factors. */
const CARDS: [string, MfaStatus][] = [
  ['off, required soon', { ...REQUIRED, due_at: '2100-01-01T00:00:00Z' }],
  ['on, few codes', { ...ON, recovery_codes_left: 2 }],
  ['on, required', { ...ON, required: true }],
];

/** Those that have the heading or the landmark of a page, so each is alone in a frame. */
export const FACTOR_FRAMES: Entry[] = [
  ...CARDS.map(([state, status]) => ({
    name: `FactorsCard, ${state}`,
    states: [
      {
        name: 'alone',
        show: () => (
          <main class="p-app-main">
            <h1>{NAMES.usual}</h1>
            <FactorsCard status={status} account="ann@example.com" calls={CALLS} onChanged={() => Promise.resolve()} />
          </main>
        ),
      },
    ],
  })),
  { name: 'VerifyStep', states: [{ name: 'alone', show: () => <Alone><VerifyStep challenge={CHALLENGE} verify={refuse} cancel={refuse} onSignedIn={nothing} onCancel={nothing} /></Alone> }] },
  {
    name: 'EnrolStep',
    states: [
      {
        name: 'alone',
        show: () => (
          <Alone>
            <EnrolStep challenge={CHALLENGE} sendMailCode={refuse} setUp={CALLS.setUp} enable={refuse} cancel={refuse} onSignedIn={nothing} onCancel={nothing} />
          </Alone>
        ),
      },
    ],
  },
  { name: 'RequiredPage', states: [{ name: 'alone', show: () => <main class="p-app-main"><RequiredPage mfa={OFF} account="ann@example.com" calls={CALLS} onDone={nothing} /></main> }] },
  {
    name: 'RecoveryCodes',
    states: [
      {
        name: 'alone',
        show: () => (
          <main class="p-app-main">
            <h1>{NAMES.usual}</h1>
            <Card>
              <RecoveryCodes codes={CODES} account="ann@example.com" onStored={nothing} />
            </Card>
          </main>
        ),
      },
    ],
  },
];

function Alone({ children }: { children: ComponentChildren }) {
  return (
    <main class="p-entry-main">
      <Card>{children}</Card>
    </main>
  );
}

function Field({ isRecovery }: { isRecovery?: boolean }) {
  const input = useRef<HTMLInputElement>(null);
  if (!isRecovery) return <CodeField name="factor-code" label="Code" hint="Six digits." inputRef={input} />;
  return <CodeField name="factor-recovery" label="Recovery code" kind="recovery" problem="This code is not correct." inputRef={input} />;
}

function Setup() {
  const begun = useFactorSetup(CALLS);
  if (begun.setup) return <FactorSetup begun={begun} calls={CALLS} onEnabled={nothing} onCancel={begun.end} />;
  return <Button onClick={begun.begin}>Set up</Button>;
}

function Asking() {
  return (
    <StepUpProvider title="Confirm that it is you" question={(props) => <StepUpFactor {...props} verify={refuse} />}>
      <AskButton />
    </StepUpProvider>
  );
}

function AskButton() {
  const { confirm } = useStepUp();
  return <Button onClick={() => void confirm()}>Ask</Button>;
}
