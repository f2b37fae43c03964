import { activateAccount } from '@portico/client';
import { afterSignIn } from '../app/navigation.ts';
import { SetPasswordForm } from './parts/set-password-form.tsx';
import { signedInNow } from './parts/signed-in-now.ts';

/** The page that activates an account with the link of an invitation, and signs in. */
export default function ActivatePage() {
  return (
    <SetPasswordForm
      purpose="activation"
      send={(body) => activateAccount({ body })}
      onSet={(session) => {
        if (session) signedInNow(session);
        location.replace(afterSignIn('portal'));
      }}
    />
  );
}
