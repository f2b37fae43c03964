import { signOutStaff, type CurrentStaffSession, type PorticoError } from '@portico/client';
import { useState } from 'preact/hooks';
import { signOutBy } from '../../app/http.ts';
import { useTexts, type Locale } from '../../app/texts.ts';
import { LanguageMenu } from '../../kit/language-menu.tsx';
import { Menu } from '../../kit/menu.tsx';
import { ProblemDialog } from '../../kit/problem-dialog.tsx';
import { chooseLanguage } from './profile.ts';

/** The menu of the staff user: who is signed in, the language, the account and the sign-out. */
export function UserMenu({ user }: { user: CurrentStaffSession['user'] }) {
  const texts = useTexts('console');
  const common = useTexts('common');
  const [failed, setFailed] = useState<{ title: string; problem: PorticoError }>();
  const leave = async () => {
    const { error } = await signOutBy(() => signOutStaff());
    if (error) setFailed({ title: texts.signOut, problem: error });
  };
  const speak = async (locale: Locale) => {
    const error = await chooseLanguage(locale);
    if (error) setFailed({ title: common.language, problem: error });
  };
  return (
    <>
      <Menu
        label={texts.userMenu(user.name)}
        button={
          <>
            <bdi class="p-user-name">{user.name}</bdi>
            <span aria-hidden="true">&nbsp;▾</span>
          </>
        }
      >
        <p class="p-menu-user">
          <bdi>{user.name}</bdi>
          <span class="p-muted p-small">{user.email}</span>
          <span class="p-muted p-small">{texts.staffRoles[user.role]}</span>
        </p>
        <a href="/console/account">{texts.navigation.account}</a>
        {/* A click in the list of languages must not close the menu. */}
        <div onClick={(event) => event.stopPropagation()}>
          <LanguageMenu onChoose={speak} />
        </div>
        <button type="button" onClick={() => void leave()}>
          {texts.signOut}
        </button>
      </Menu>
      {failed && <ProblemDialog {...failed} onClose={() => setFailed(undefined)} />}
    </>
  );
}
