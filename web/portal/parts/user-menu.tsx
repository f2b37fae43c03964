import { signOut, type PorticoError, type User } from '@portico/client';
import { useState } from 'preact/hooks';
import { signOutBy } from '../../app/http.ts';
import { useTexts } from '../../app/texts.ts';
import { Menu } from '../../kit/menu.tsx';
import { ProblemDialog } from '../../kit/problem-dialog.tsx';
import { MenuLabel } from './menu-label.tsx';

/** The menu of the signed-in user: account and sign-out. */
export function UserMenu({ user }: { user: User }) {
  const texts = useTexts('portal');
  const { profile, password, sessions } = texts.account;
  const [problem, setProblem] = useState<PorticoError>();
  const leave = async () => setProblem((await signOutBy(() => signOut())).error);
  return (
    <>
      <Menu label={texts.userMenu(user.name)} button={<MenuLabel text={user.name} />}>
        <a href="/portal/account">{profile.title}</a>
        <a href="/portal/account/password">{password.title}</a>
        <a href="/portal/account/sessions">{sessions.title}</a>
        <button type="button" onClick={() => void leave()}>
          {texts.signOut}
        </button>
      </Menu>
      {problem && <ProblemDialog title={texts.signOut} problem={problem} onClose={() => setProblem(undefined)} />}
    </>
  );
}
