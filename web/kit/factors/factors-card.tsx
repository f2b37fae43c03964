import type { MfaStatus, RecoveryCodes as Codes } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Result } from '../../app/call.ts';
import { useFormatLocale } from '../../app/format-locale.ts';
import { loadTexts, useLocale, useTexts, type Locale } from '../../app/texts.ts';
import { Badge } from '../badge.tsx';
import { Button } from '../button.tsx';
import { Card } from '../card.tsx';
import { ConfirmDialog } from '../confirm-dialog.tsx';
import { formatTime } from '../date-time.tsx';
import { Fact, Facts } from '../facts.tsx';
import { focusContent } from '../focus-content.ts';
import { Notice } from '../notice.tsx';
import { ProblemNotice } from '../problem-notice.tsx';
import { useFactorSetup, type SetupCalls } from './begin-setup.ts';
import type { FactorChange } from './done-notice.tsx';
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

/** The code that few visits of the page need. */
type Parts = typeof import('./parts.ts');

/** Makes calls load the parts of the card first: what a call answers is shown once, so nothing may be missing then. */
function useParts() {
  const locale = useLocale();
  const [parts, setParts] = useState<Parts>();
  const withParts = async <Data,>(call: () => Promise<Result<Data>>): Promise<Result<Data>> => {
    try {
      setParts(await loadParts(locale));
    } catch {
      return { error: { code: 'network_error', detail: '', cause: undefined } };
    }
    return call();
  };
  return { parts, withParts };
}

async function loadParts(locale: Locale): Promise<Parts> {
  const [parts] = await Promise.all([import('./parts.ts'), loadTexts(locale, ['secondStep', 'problems'])]);
  return parts;
}

/** The second factors of the user: whether they are on, and how to set them up, replace them and turn them off. */
export function FactorsCard({ status, account, onChanged, ...props }: FactorsCardProps) {
  const { card: texts } = useTexts('factors');
  const { parts, withParts } = useParts();
  const calls: FactorCalls = {
    ...props.calls,
    setUp: () => withParts(props.calls.setUp),
    replaceCodes: () => withParts(props.calls.replaceCodes),
    disable: () => withParts(props.calls.disable),
  };
  const setup = useFactorSetup(calls);
  const [codes, setCodes] = useState<{ list: string[]; change: FactorChange }>();
  const [done, setDone] = useState<FactorChange>();
  const showCodes = (made: Codes | undefined, change: FactorChange) => {
    setup.end();
    setDone(undefined);
    setCodes({ list: made?.recovery_codes ?? [], change });
  };
  const finish = async (change: FactorChange) => {
    await onChanged();
    setCodes(undefined);
    setDone(change);
    focusContent();
  };

  if (codes && parts) {
    return (
      <Part title={texts.codesTitle}>
        <parts.RecoveryCodes codes={codes.list} account={account} onStored={() => finish(codes.change)} />
      </Part>
    );
  }
  if (setup.setup && parts) {
    return (
      <Part title={status.totp ? texts.replace : texts.setUp}>
        <parts.FactorSetup
          begun={setup}
          calls={calls}
          replaces={status.totp}
          onEnabled={(made) => showCodes(made, status.enabled ? 'replaced' : 'on')}
          onCancel={setup.end}
        />
      </Part>
    );
  }
  return (
    <Card title={texts.title}>
      {done && parts && <parts.DoneNotice change={done} />}
      <p class="p-muted">{texts.intro}</p>
      <StatusFacts status={status} />
      {setup.problem && <ProblemNotice problem={setup.problem} />}
      <Actions
        status={status}
        calls={calls}
        onSetUp={setup.begin}
        onCodes={(made) => showCodes(made, 'codes')}
        onOff={() => finish('off')}
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
