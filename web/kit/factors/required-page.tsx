import type { MfaInfo } from '@portico/client';
import { useState } from 'preact/hooks';
import { useTexts } from '../../app/texts.ts';
import { Button } from '../button.tsx';
import { Card } from '../card.tsx';
import { PageHead } from '../page-head.tsx';
import { useFactorSetup, type SetupCalls } from './begin-setup.ts';
import { FactorSetup } from './factor-setup.tsx';
import { RecoveryCodes } from './recovery-codes.tsx';
import { useStepUp } from './step-up.tsx';

interface RequiredPageProps {
  mfa: MfaInfo;
  /** The address of the user. */
  account: string;
  calls: SetupCalls;
  /** Shows the page for which a second factor was missing. */
  onDone: () => unknown;
}

/** Stands in the place of each page as long as the user must set a second factor up, or prove the one that they have. */
export function RequiredPage({ mfa, account, calls, onDone }: RequiredPageProps) {
  const { enrol: texts, codes: codeTexts } = useTexts('secondStep');
  const { confirm } = useStepUp();
  const setup = useFactorSetup(calls);
  const [codes, setCodes] = useState<string[]>();
  if (codes) {
    return (
      <>
        <PageHead key="codes" title={codeTexts.title} />
        <Card>
          <RecoveryCodes codes={codes} account={account} onStored={onDone} />
        </Card>
      </>
    );
  }
  if (mfa.enabled) {
    const prove = async () => {
      if (await confirm()) await onDone();
    };
    return (
      <>
        <PageHead key="confirm" title={texts.confirmTitle} />
        <Card>
          <p>{texts.confirm}</p>
          <div class="p-actions">
            <Button kind="primary" onClick={prove}>
              {texts.confirmTitle}
            </Button>
          </div>
        </Card>
      </>
    );
  }
  return (
    <>
      <PageHead key="required" title={texts.pageTitle} />
      <Card>
        {!setup.setup && <p>{texts.required}</p>}
        <FactorSetup begun={setup} calls={calls} onEnabled={(made) => setCodes(made?.recovery_codes ?? [])} />
        {!setup.setup && (
          <div class="p-actions">
            <Button kind="primary" onClick={setup.begin}>
              {texts.start}
            </Button>
          </div>
        )}
      </Card>
    </>
  );
}
