import { signOutStaff, type CurrentStaffSession, type PorticoError } from '@portico/client';
import { useState } from 'preact/hooks';
import { signOutBy } from '../../app/http.ts';
import { useTexts } from '../../app/texts.ts';
import { LanguageMenu } from '../../kit/language-menu.tsx';
import { Menu } from '../../kit/menu.tsx';
import { ProblemDialog } from '../../kit/problem-dialog.tsx';

/** The menu of the staff user: who is signed in, the language, the account and the sign-out. */
export function UserMenu({ user }: { user: CurrentStaffSession['user'] }) {
  const texts = useTexts('console');
  const [problem, setProblem] = useState<PorticoError>();
  const leave = async () => setProblem((await signOutBy(() => signOutStaff())).error);
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
          <LanguageMenu />
        </div>
        <button type="button" onClick={() => void leave()}>
          {texts.signOut}
        </button>
      </Menu>
      <ProblemDialog title={texts.signOut} problem={problem} onClose={() => setProblem(undefined)} />
    </>
  );
}
