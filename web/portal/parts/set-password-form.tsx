import type { PorticoError } from '@portico/client';
import { useTexts } from '../../app/texts.ts';
import type { Result } from '../../app/call.ts';
import { Form, textOf } from '../../kit/form.tsx';
import { Notice } from '../../kit/notice.tsx';
import { PageTitle } from '../../kit/page-title.tsx';
import { TextField } from '../../kit/text-field.tsx';
import { AccountOfLink } from './account-of-link.tsx';
import { deadCode } from './checked-link.ts';
import { useCurrentUser } from './current-user.ts';
import { LinkPage, type LiveLink } from './link-page.tsx';
import { rememberLostAnswer } from './lost-answer.ts';
import { NewPasswordField } from './new-password-field.tsx';

interface SetPasswordFormProps<Data> {
  purpose: 'activation' | 'reset';
  /** Sets the password. `name` is empty if the form has no field for it. */
  send: (values: { token: string; password: string; name: string }) => Promise<Result<Data>>;
  /** Leaves the page after the password is set. */
  onSet: (data: Data | undefined, email: string) => unknown;
}

/** The page that sets a password with a mailed link: of a new account, or in place of a forgotten one. */
export function SetPasswordForm<Data>({ purpose, send, onSet }: SetPasswordFormProps<Data>) {
  const texts = useTexts('links');
  return (
    <LinkPage purpose={purpose} title={texts[purpose].title}>
      {(live) => <LiveForm purpose={purpose} send={send} onSet={onSet} live={live} />}
    </LinkPage>
  );
}

function LiveForm<Data>({ purpose, send, onSet, live }: SetPasswordFormProps<Data> & { live: LiveLink }) {
  const { [purpose]: texts, activation } = useTexts('links');
  const { link, token } = live;
  const showDead = (problem: PorticoError) => {
    if (problem.code === 'network_error') rememberLostAnswer(token);
    const code = deadCode(problem);
    if (code) live.setDead(code);
    return code !== undefined;
  };
  return (
    <>
      <PageTitle>{texts.title}</PageTitle>
      <p>{texts.intro}</p>
      <AccountOfLink link={link} />
      <OtherAccountNotice email={link.email} />
      <Form
        send={(values) => send({ token, password: textOf(values, 'password'), name: textOf(values, 'name').trim() })}
        onSent={(data) => {
          live.forget();
          return onSet(data, link.email);
        }}
        onProblem={showDead}
        submit={texts.submit}
      >
        {purpose === 'activation' && <TextField name="name" label={activation.name} value={link.name} autocomplete="name" required />}
        <NewPasswordField name="password" email={link.email} token={token} />
      </Form>
    </>
  );
}

/** Says that another user is signed in in this browser. */
function OtherAccountNotice({ email }: { email: string }) {
  const { signedInAs } = useTexts('links');
  const session = useCurrentUser();
  if (!session || session.user.email === email) return null;
  return <Notice kind="warning">{signedInAs(session.user.email)}</Notice>;
}
