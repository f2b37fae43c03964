import { signIn } from '@portico/client';
import { leaveSignIn } from '../app/navigation.ts';
import { useTexts } from '../app/texts.ts';
import { Card } from '../kit/card.tsx';
import { EntryFrame } from '../kit/entry-frame.tsx';
import { Form, textOf } from '../kit/form.tsx';
import { PageTitle } from '../kit/page-title.tsx';
import { PasswordField } from '../kit/password-field.tsx';
import { TextField } from '../kit/text-field.tsx';

/** The sign-in page of portal users. */
export default function SignInPage() {
  const { signIn: texts, ...common } = useTexts('entry');
  return (
    <EntryFrame>
      <Card>
        <PageTitle>{texts.title}</PageTitle>
        <Form
          send={(values) => signIn({ body: { email: textOf(values, 'email'), password: textOf(values, 'password') } })}
          onSent={() => leaveSignIn('portal')}
          submit={texts.submit}
        >
          <TextField name="email" type="email" label={common.email} autocomplete="username" required />
          <PasswordField name="password" label={common.password} autocomplete="current-password" required />
        </Form>
        <a href="/portal/forgot-password">{texts.forgot}</a>
      </Card>
    </EntryFrame>
  );
}
