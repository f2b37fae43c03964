import { signOut, type User } from '@portico/client';
import { expectSignOut } from '../../app/http.ts';
import { useTexts } from '../../app/texts.ts';
import { Menu } from '../../kit/menu.tsx';
import { MenuLabel } from './menu-label.tsx';

/** The menu of the signed-in user: account and sign-out. */
export function UserMenu({ user }: { user: User }) {
  const texts = useTexts('portal');
  const { profile, password, sessions } = texts.account;
  const leave = () => {
    expectSignOut();
    void signOut();
  };
  return (
    <Menu label={texts.userMenu(user.name)} button={<MenuLabel text={user.name} />}>
      <a href="/portal/account">{profile.title}</a>
      <a href="/portal/account/password">{password.title}</a>
      <a href="/portal/account/sessions">{sessions.title}</a>
      <button type="button" onClick={leave}>
        {texts.signOut}
      </button>
    </Menu>
  );
}
