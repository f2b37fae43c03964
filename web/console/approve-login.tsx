import { approveCliLogin, type ApprovedCliLogin, type PorticoError } from '@portico/client';
import { useState } from 'preact/hooks';
import { useLocation } from '../app/location.tsx';
import { useTexts } from '../app/texts.ts';
import { Button } from '../kit/button.tsx';
import { Card } from '../kit/card.tsx';
import { Form } from '../kit/form.tsx';
import { Notice } from '../kit/notice.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { denialOf, isOfProgram, readCliLogin, type CliLogin } from './parts/cli-login/login.ts';
import { LoginFacts } from './parts/cli-login/login-facts.tsx';
import { useSession } from './parts/session.tsx';
import { useStepUp } from '../kit/factors/step-up.tsx';
import { StaffStepUp } from './parts/codes/step-up.tsx';

/**
 * The approval of a login that the command line has begun. Anyone can make a link to this page, so it shows what would
 * be approved, and asks for a fresh code each time.
 */
export default function ApproveLoginPage() {
  const { approve: texts } = useTexts('access');
  const { permissions } = useSession();
  const asked = readCliLogin(useLocation().query);
  // The command line asks for every scope. It gets those that the role gives.
  const login = asked && { ...asked, scopes: asked.scopes.filter((scope) => permissions.includes(scope)) };
  return (
    <StaffStepUp>
      <PageHead title={login ? texts.title : texts.invalidTitle} />
      <Card>{login ? <Approval login={login} /> : <p>{texts.invalidBody}</p>}</Card>
    </StaffStepUp>
  );
}

type Outcome = 'approved' | 'denied' | 'wrongAddress';

function Approval({ login }: { login: CliLogin }) {
  const { approve: texts } = useTexts('access');
  const [outcome, setOutcome] = useState<Outcome>();
  if (outcome === 'denied') return <Notice title={texts.deniedTitle}>{texts.deniedBody}</Notice>;
  if (outcome === 'wrongAddress') return <Notice kind="danger">{texts.wrongAddress}</Notice>;
  if (outcome === 'approved') {
    return (
      <Notice kind="success" title={texts.approvedTitle}>
        {texts.approvedBody}
      </Notice>
    );
  }
  return (
    <>
      <Notice kind="warning">{texts.warning}</Notice>
      <LoginFacts login={login} />
      <Answer login={login} onOutcome={setOutcome} />
    </>
  );
}

function Answer({ login, onOutcome }: { login: CliLogin; onOutcome: (outcome: Outcome) => void }) {
  const { approve: texts } = useTexts('access');
  const { confirm } = useStepUp();
  const tellDenied = () => {
    onOutcome('denied');
    location.assign(denialOf(login));
  };
  const deny = <Button onClick={tellDenied}>{texts.deny}</Button>;
  if (login.scopes.length === 0) {
    return (
      <>
        <Notice kind="danger">{texts.notInRole}</Notice>
        <div class="p-actions">{deny}</div>
      </>
    );
  }
  const approve = async () => ((await confirm()) ? approveCliLogin({ body: login }) : {});
  const describe = ({ code }: PorticoError) => (code === 'validation_failed' ? texts.invalidBody : undefined);
  const follow = (data: ApprovedCliLogin | undefined) => {
    if (!data) return;
    const isExpected = isOfProgram(data.redirect_to, login);
    onOutcome(isExpected ? 'approved' : 'wrongAddress');
    if (isExpected) location.assign(data.redirect_to);
  };
  return (
    <Form send={approve} onSent={follow} describe={describe} submit={texts.approve} actions={deny}>
      <p class="p-muted">{texts.codeNext}</p>
    </Form>
  );
}
