import type { TotpSetup as Setup } from '@portico/client';
import type { ComponentChildren } from 'preact';
import type { Result } from '../../app/call.ts';
import { useTexts } from '../../app/texts.ts';
import { Button } from '../button.tsx';
import { CopyButton } from '../copy-button.tsx';
import { Form, textOf } from '../form.tsx';
import { Notice } from '../notice.tsx';
import { CodeField, digitsOf, useRefusedCode } from './code-field.tsx';
import { useHasPassed } from './deadline.ts';
import { QrCode } from './qr-code.tsx';

/** How long the server accepts the first code of a setup. Its time of expiry needs a clock that is right. */
const LIFETIME_MS = 10 * 60 * 1000;

interface TotpSetupProps<Data> {
  setup: Setup;
  confirm: (code: string) => Promise<Result<Data>>;
  onConfirmed: (data: Data | undefined) => unknown;
  onRefused?: () => void;
  /** Begins the setup again, with a new secret. */
  onAgain: () => unknown;
  actions?: ComponentChildren;
}

/** Sets an authenticator app up: its QR code, the secret for those who cannot scan it, and the first code of the app. */
export function TotpSetup<Data>({ setup, confirm, onConfirmed, onRefused, onAgain, actions }: TotpSetupProps<Data>) {
  const { setup: texts } = useTexts('secondStep');
  const hasExpired = useHasPassed(LIFETIME_MS, setup);
  const { field, isWrong, onProblem } = useRefusedCode(onRefused);
  if (hasExpired) {
    return (
      <>
        <Notice kind="warning" title={texts.expired.title}>
          <p>{texts.expired.body}</p>
        </Notice>
        <div class="p-actions">
          <Button kind="primary" onClick={onAgain}>
            {texts.again}
          </Button>
          {actions}
        </div>
      </>
    );
  }
  return (
    <ol class="p-setup-steps">
      <li>
        <p>{texts.install}</p>
      </li>
      <li>
        <p>{texts.scan}</p>
        <QrCode svg={setup.qr_svg} label={texts.qrCode} />
        <a class="p-open-app" href={setup.otpauth_uri}>
          {texts.open}
        </a>
        <p class="p-hint">{texts.type}</p>
        <div class="p-typed-secret">
          <code dir="ltr">{inGroups(setup.secret)}</code>
          <CopyButton text={setup.secret} label={texts.copy} />
        </div>
      </li>
      <li>
        <p>{texts.enter}</p>
        <Form
          send={(values) => confirm(digitsOf(textOf(values, 'code')))}
          onSent={onConfirmed}
          onProblem={onProblem}
          submit={texts.submit}
          actions={actions}
        >
          <CodeField name="code" label={texts.label} problem={isWrong ? texts.wrong : undefined} inputRef={field} />
        </Form>
      </li>
    </ol>
  );
}

/** Returns a secret in groups of four characters, as people type it. */
const inGroups = (secret: string): string => secret.match(/.{1,4}/g)?.join(' ') ?? '';
