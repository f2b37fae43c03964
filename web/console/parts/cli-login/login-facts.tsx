import { useState } from 'preact/hooks';
import { useFormatLocale } from '../../../app/format-locale.ts';
import { useTexts } from '../../../app/texts.ts';
import { formatTime } from '../../../kit/date-time.tsx';
import { Fact, Facts } from '../../../kit/facts.tsx';
import { CLI_TOKEN_DAYS, type CliLogin } from './login.ts';
import { PermissionList } from '../staff/role-permissions.tsx';
import { useSession } from '../session.tsx';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Which program gets which permissions of which account when the login is approved. */
export function LoginFacts({ login }: { login: CliLogin }) {
  const { approve: texts } = useTexts('access');
  const { user } = useSession();
  const locale = useFormatLocale();
  const [end] = useState(() => new Date(Date.now() + CLI_TOKEN_DAYS * DAY_MS).toISOString());
  return (
    <Facts>
      <Fact name={texts.program}>
        <p>
          {texts.programClaim}{' '}
          <q>
            <bdi>{login.name}</bdi>
          </q>
        </p>
        <p class="p-muted p-small">{texts.programUnchecked}</p>
      </Fact>
      <Fact name={texts.account}>
        <bdi>{user.name}</bdi> ({user.email})
      </Fact>
      <Fact name={texts.company}>
        <bdi>{user.tenant.name}</bdi>
      </Fact>
      <Fact name={texts.may}>
        <PermissionList permissions={login.scopes} />
      </Fact>
      <Fact name={texts.expires}>{texts.expiresOn(formatTime(end, locale, true))}</Fact>
      <Fact name={texts.destination}>{texts.destinationPort(login.port)}</Fact>
    </Facts>
  );
}
