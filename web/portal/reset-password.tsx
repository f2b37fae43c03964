import { resetPassword } from '@portico/client';
import { SetPasswordForm } from './parts/set-password-form.tsx';
import { planSignIn } from './parts/sign-in-plan.ts';

/** The page that sets a new password with the link of a mail. */
export default function ResetPasswordPage() {
  return (
    <SetPasswordForm
      purpose="reset"
      send={({ token, password }) => resetPassword({ body: { token, password } })}
      onSet={(_, email) => {
        planSignIn({ email });
        location.replace('/portal/sign-in?reason=password_reset');
      }}
    />
  );
}
