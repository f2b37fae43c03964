import { requestNewLink, type LinkPurpose, type PorticoError } from '@portico/client';
import { useEffect, useState } from 'preact/hooks';
import { useTexts, type Bundles } from '../../app/texts.ts';
import { Form } from '../../kit/form.tsx';
import { LinkButton } from '../../kit/link-button.tsx';
import { PageTitle } from '../../kit/page-title.tsx';
import type { DeadCode } from './checked-link.ts';
import { hasLostAnswer } from './lost-answer.ts';

interface DeadLinkProps {
  code: DeadCode;
  purpose: LinkPurpose;
  token: string | undefined;
  forget: () => void;
}

/** Says why a link cannot be used, and what to do instead. */
export function DeadLink({ code, purpose, token, forget }: DeadLinkProps) {
  const { dead, ...texts } = useTexts('links');
  const [renewed, setRenewed] = useState(false);
  const [lostAnswer] = useState(() => code === 'token_used' && token !== undefined && hasLostAnswer(token));
  useEffect(() => {
    if (code !== 'token_expired' || renewed) forget();
  }, [code, renewed]);

  if (renewed) return <Renewed />;
  return (
    <>
      <PageTitle>{dead.titles[code]}</PageTitle>
      <p>{lostAnswer ? dead.lostAnswer : explain(code, purpose, dead)}</p>
      {code === 'token_expired' && token ? (
        <RenewForm token={token} onRenewed={() => setRenewed(true)} />
      ) : (
        <div class="p-actions">
          {purpose !== 'not_me' && <LinkButton href="/portal/sign-in">{texts.signIn}</LinkButton>}
          {(purpose === 'reset' || purpose === 'not_me') && !lostAnswer && (
            <LinkButton href="/portal/forgot-password" kind={purpose === 'reset' ? 'secondary' : 'primary'}>
              {texts.newPassword}
            </LinkButton>
          )}
        </div>
      )}
    </>
  );
}

function RenewForm({ token, onRenewed }: { token: string; onRenewed: () => void }) {
  const { renew } = useTexts('links');
  const describe = ({ code }: PorticoError) => {
    if (code === 'token_expired') return renew.tooOld;
    return code === 'conflict' ? renew.stillValid : undefined;
  };
  return (
    <Form send={() => requestNewLink({ body: { token } })} onSent={onRenewed} describe={describe} submit={renew.submit}>
      {null}
    </Form>
  );
}

function Renewed() {
  const { renew } = useTexts('links');
  return (
    <>
      <PageTitle>{renew.doneTitle}</PageTitle>
      <p>{renew.done}</p>
    </>
  );
}

type DeadTexts = Bundles['links']['dead'];

function explain(code: DeadCode, purpose: LinkPurpose, texts: DeadTexts): string {
  const used = { activation: texts.usedActivation, reset: texts.usedReset, accept: texts.usedAccept, not_me: texts.usedNotMe };
  const revoked = {
    activation: texts.revokedActivation,
    reset: texts.revokedReset,
    accept: texts.revokedAccept,
    not_me: texts.revokedNotMe,
  };
  const sentences: Record<DeadCode, string> = {
    token_expired: texts.expired,
    token_used: used[purpose],
    token_revoked: revoked[purpose],
    token_unknown: texts.unknown,
    missing: texts.missing,
  };
  return sentences[code];
}
