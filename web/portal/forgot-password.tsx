import { forgotPassword } from '@portico/client';
import { useState } from 'preact/hooks';
import { useTexts } from '../app/texts.ts';
import { Button } from '../kit/button.tsx';
import { Card } from '../kit/card.tsx';
import { EntryFrame } from '../kit/entry-frame.tsx';
import { Form, textOf } from '../kit/form.tsx';
import { Notice } from '../kit/notice.tsx';
import { PageTitle } from '../kit/page-title.tsx';
import { TextField } from '../kit/text-field.tsx';
import { entryPath } from './parts/entry-path.ts';
import { plannedSignIn } from './parts/sign-in-plan.ts';

/** The page that mails a link to set a new password. It says the same whether the address has an account or not. */
export default function ForgotPasswordPage() {
  const { forgot: texts } = useTexts('links');
  const [email, setEmail] = useState<string>();
  return (
    <EntryFrame>
      <Card>
        {email === undefined ? <AskAddress onSent={setEmail} /> : <Sent email={email} onOther={() => setEmail(undefined)} />}
        <a href={entryPath('/portal/sign-in')}>{texts.back}</a>
      </Card>
    </EntryFrame>
  );
}

function AskAddress({ onSent }: { onSent: (email: string) => void }) {
  const { forgot: texts } = useTexts('links');
  const [email, setEmail] = useState(plannedSignIn()?.email ?? '');
  return (
    <>
      <PageTitle>{texts.title}</PageTitle>
      <p>{texts.intro}</p>
      <Form
        send={(values) => forgotPassword({ body: { email: textOf(values, 'email') } })}
        onSent={() => onSent(email.trim())}
        submit={texts.submit}
      >
        <TextField name="email" type="email" label={texts.email} autocomplete="username" value={email} onInput={setEmail} required />
      </Form>
    </>
  );
}

function Sent({ email, onOther }: { email: string; onOther: () => void }) {
  const { forgot: texts } = useTexts('links');
  const [times, setTimes] = useState(1);
  return (
    <>
      <PageTitle>{texts.sentTitle}</PageTitle>
      <p>{texts.sent(email)}</p>
      <p class="p-muted">{texts.hint}</p>
      <Form
        send={() => forgotPassword({ body: { email } })}
        onSent={() => setTimes(times + 1)}
        submit={texts.again}
        submitKind="secondary"
        actions={
          <Button kind="plain" onClick={onOther}>
            {texts.other}
          </Button>
        }
      >
        {times > 1 && (
          <Notice kind="success" key={times}>
            {texts.sentAgain}
          </Notice>
        )}
      </Form>
    </>
  );
}
