import type { MfaStatus, RecoveryCodes as Codes } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Result } from '../../app/call.ts';
import { useFormatLocale } from '../../app/format-locale.ts';
import { useTexts } from '../../app/texts.ts';
import { Badge } from '../badge.tsx';
import { Button } from '../button.tsx';
import { Card } from '../card.tsx';
import { ConfirmDialog } from '../confirm-dialog.tsx';
import { formatTime } from '../date-time.tsx';
import { Fact, Facts } from '../facts.tsx';
import { focusContent } from '../focus-content.ts';
import { Notice } from '../notice.tsx';
import { FactorSetup, useFactorSetup, type SetupCalls } from './factor-setup.tsx';
import { RecoveryCodes } from './recovery-codes.tsx';
import { useStepUp } from './step-up.tsx';

/** From how many recovery codes on the user should make new ones. */
const FEW_CODES = 3;

/** How a user manages their second factors in a session. */
export interface FactorCalls extends SetupCalls {
  replaceCodes: () => Promise<Result<Codes>>;
  disable: () => Promise<Result<unknown>>;
}

interface FactorsCardProps {
  status: MfaStatus;
  /** The address of the user. */
  account: string;
  calls: FactorCalls;
  /** Loads what depends on the factors again. */
  onChanged: () => Promise<unknown>;
}

type Done = 'doneOn' | 'doneReplaced' | 'doneCodes' | 'doneOff';

/** The second factors of the user: whether they are on, and how to set them up, replace them and turn them off. */
export function FactorsCard({ status, account, calls, onChanged }: FactorsCardProps) {
  const { card: texts, codes: codeTexts, enrol } = useTexts('factors');
  const setup = useFactorSetup(calls);
  const [codes, setCodes] = useState<{ list: string[]; done: Done }>();
  const [done, setDone] = useState<Done>();
  const showCodes = (made: Codes | undefined, reason: Done) => {
    setup.end();
    setDone(undefined);
    setCodes({ list: made?.recovery_codes ?? [], done: reason });
  };
  const finish = async (reason: Done) => {
    await onChanged();
    setCodes(undefined);
    setDone(reason);
    focusContent();
  };

  if (codes) {
    return (
      <Part title={codeTexts.title}>
        <RecoveryCodes codes={codes.list} account={account} onStored={() => finish(codes.done)} />
      </Part>
    );
  }
  if (setup.setup) {
    return (
      <Part title={status.totp ? texts.replace : enrol.title}>
        {status.totp && <p>{texts.replaceHint}</p>}
        <FactorSetup
          begun={setup}
          calls={calls}
          onEnabled={(made) => showCodes(made, status.enabled ? 'doneReplaced' : 'doneOn')}
          onCancel={setup.end}
        />
      </Part>
    );
  }
  return (
    <Card title={texts.title}>
      {done && <Notice kind="success">{texts[done]}</Notice>}
      <p class="p-muted">{texts.intro}</p>
      <StatusFacts status={status} />
      <FactorSetup begun={setup} calls={calls} onEnabled={() => undefined} />
      <Actions
        status={status}
        calls={calls}
        onSetUp={setup.begin}
        onCodes={(made) => showCodes(made, 'doneCodes')}
        onOff={() => finish('doneOff')}
      />
    </Card>
  );
}

/** A step in the place of the card. Its heading gets the focus. */
function Part({ title, children }: { title: string; children: ComponentChildren }) {
  const part = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const heading = part.current?.querySelector('h2');
    if (!heading) return;
    heading.tabIndex = -1;
    heading.focus();
    heading.scrollIntoView({ block: 'nearest' });
  }, []);
  return (
    <div ref={part} class="p-factor-part">
      <Card title={title}>{children}</Card>
    </div>
  );
}

function StatusFacts({ status }: { status: MfaStatus }) {
  const { card: texts } = useTexts('factors');
  const locale = useFormatLocale();
  const left = status.recovery_codes_left;
  return (
    <>
      <Facts>
        <Fact name={texts.status}>
          <Badge kind={status.enabled ? 'success' : 'neutral'}>{status.enabled ? texts.on : texts.off}</Badge>
        </Fact>
        {status.enabled && <Fact name={texts.app}>{status.totp ? texts.hasApp : texts.noApp}</Fact>}
        {status.enabled && <Fact name={texts.codes}>{texts.codesLeft(left)}</Fact>}
      </Facts>
      {status.due_at && <Notice kind="warning">{texts.requiredFrom(formatTime(status.due_at, locale))}</Notice>}
      {status.enabled && left <= FEW_CODES && <Notice kind="warning">{left === 0 ? texts.codesNone : texts.codesLow}</Notice>}
      {status.enabled && status.required && <p class="p-muted">{texts.required}</p>}
    </>
  );
}

interface ActionsProps {
  status: MfaStatus;
  calls: FactorCalls;
  onSetUp: () => Promise<void>;
  onCodes: (codes: Codes | undefined) => void;
  onOff: () => Promise<void>;
}

function Actions({ status, calls, onSetUp, onCodes, onOff }: ActionsProps) {
  const { card: texts } = useTexts('factors');
  const { whenFresh } = useStepUp();
  const [question, setQuestion] = useState<'codes' | 'off'>();
  const close = () => setQuestion(undefined);
  return (
    <>
      <div class="p-actions">
        <Button kind={status.totp ? 'secondary' : 'primary'} onClick={onSetUp}>
          {status.totp ? texts.replace : texts.setUp}
        </Button>
        {status.enabled && <Button onClick={() => setQuestion('codes')}>{texts.newCodes}</Button>}
        {status.enabled && !status.required && (
          <Button kind="plain" onClick={() => setQuestion('off')}>
            {texts.turnOff}
          </Button>
        )}
      </div>
      {question === 'codes' && (
        <ConfirmDialog
          title={texts.newCodesTitle}
          confirm={texts.newCodes}
          kind="primary"
          act={() => whenFresh(calls.replaceCodes)}
          onDone={onCodes}
          onClose={close}
        >
          <p>{texts.newCodesBody}</p>
        </ConfirmDialog>
      )}
      {question === 'off' && (
        <ConfirmDialog
          title={texts.turnOffTitle}
          confirm={texts.turnOffConfirm}
          act={() => whenFresh(calls.disable)}
          onDone={onOff}
          onClose={close}
        >
          <p>{texts.turnOffBody}</p>
        </ConfirmDialog>
      )}
    </>
  );
}
