import { useState } from 'preact/hooks';
import { boot } from '../../app/boot.ts';
import { useTexts } from '../../app/texts.ts';
import { PasswordField } from '../../kit/password-field.tsx';
import { PasswordMeter } from './password-meter.tsx';

interface NewPasswordFieldProps {
  name: string;
  /** The address of the account, under which a password manager saves the password. */
  email: string;
  /** The token of the link. Without it, the session says whose password it is. */
  token?: string;
}

/** A field for a new password: the rules, which are shown before typing, and how strong the password is. */
export function NewPasswordField({ name, email, token }: NewPasswordFieldProps) {
  const texts = useTexts('password');
  const [password, setPassword] = useState('');
  const rules = (
    <ul class="p-rules">
      {texts.rules(boot.password_min).map((rule) => (
        <li key={rule}>{rule}</li>
      ))}
    </ul>
  );
  return (
    <>
      <input
        class="p-hidden"
        type="email"
        name="username"
        value={email}
        autocomplete="username"
        readOnly
        tabIndex={-1}
        aria-hidden="true"
      />
      <PasswordField name={name} label={texts.label} autocomplete="new-password" hint={rules} onInput={setPassword} required />
      <PasswordMeter password={password} token={token} />
    </>
  );
}
