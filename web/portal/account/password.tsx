import { changePassword } from '@portico/client';
import { useState } from 'preact/hooks';
import { queries } from '../../app/queries.tsx';
import { useTexts } from '../../app/texts.ts';
import { Card } from '../../kit/card.tsx';
import { useStepUp } from '../../kit/factors/step-up.tsx';
import { Form, textOf } from '../../kit/form.tsx';
import { Notice } from '../../kit/notice.tsx';
import { PasswordField } from '../../kit/password-field.tsx';
import { AccountHead } from '../parts/account-head.tsx';
import { NewPasswordField } from '../parts/new-password-field.tsx';
import { useSession } from '../parts/session.tsx';
import { PortalStepUp } from '../parts/step-up.tsx';

/** The page that changes the password of the user. */
export default function PasswordPage() {
  const { password: texts } = useTexts('portal').account;
  return (
    <PortalStepUp>
      <AccountHead title={texts.title} />
      <Card>
        <PasswordForm />
      </Card>
    </PortalStepUp>
  );
}

function PasswordForm() {
  const { password: texts } = useTexts('portal').account;
  const { whenFresh } = useStepUp();
  const { user } = useSession();
  const [isWrong, setWrong] = useState(false);
  const [times, setTimes] = useState(0);
  const send = (values: FormData) => {
    setWrong(false);
    const body = { current_password: textOf(values, 'current_password'), new_password: textOf(values, 'new_password') };
    return whenFresh(() => changePassword({ body }));
  };
  const showDone = () => {
    setTimes(times + 1);
    return queries.invalidateQueries({ queryKey: ['sessions'] });
  };
  return (
    <>
      {times > 0 && <Notice kind="success">{texts.done}</Notice>}
      <p>{texts.intro}</p>
      {/* A new key empties the fields. */}
      <Form
        key={times}
        send={send}
        onSent={showDone}
        onProblem={({ code }) => {
          setWrong(code === 'invalid_credentials');
          return code === 'invalid_credentials';
        }}
        submit={texts.submit}
      >
        <PasswordField
          name="current_password"
          label={texts.current}
          autocomplete="current-password"
          problem={isWrong ? texts.wrong : undefined}
          required
        />
        <NewPasswordField name="new_password" email={user.email} />
      </Form>
    </>
  );
}
