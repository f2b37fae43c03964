import { updateStaffProfile, type StaffProfile } from '@portico/client';
import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { queries } from '../app/queries.tsx';
import { setLocale } from '../app/locale-provider.tsx';
import { useTexts } from '../app/texts.ts';
import { Card } from '../kit/card.tsx';
import { Fact, Facts } from '../kit/facts.tsx';
import { Form, textOf } from '../kit/form.tsx';
import { useLanguageChoices } from '../kit/language-choices.ts';
import { Loaded } from '../kit/loaded.tsx';
import { Notice } from '../kit/notice.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { SelectField } from '../kit/select-field.tsx';
import { TextField } from '../kit/text-field.tsx';
import { profileQuery } from './parts/profile.ts';
import { StaffStepUp } from './parts/codes/step-up.tsx';
import { PermissionList } from './parts/staff/role-permissions.tsx';
import { SecondFactors } from './parts/factors/second-factors.tsx';
import { useSession } from './parts/session.tsx';
import { SessionsCard } from './parts/sessions-card.tsx';

/** The choice of no language: mails are in that of the company. */
const OF_COMPANY = 'company';

/** The staff user's own account: name, language, role, second factors and sessions. */
export default function AccountPage() {
  const { account: texts } = useTexts('access');
  const profile = useQuery(profileQuery);
  return (
    <StaffStepUp>
      <PageHead title={texts.title} />
      <Card title={texts.profile}>
        <Loaded query={profile} lines={5}>
          {(data) => <ProfileForm profile={data} />}
        </Loaded>
      </Card>
      <AccessCard />
      <SecondFactors />
      <SessionsCard />
    </StaffStepUp>
  );
}

function localeIn(values: FormData): string | null {
  const locale = textOf(values, 'locale');
  return locale === OF_COMPANY ? null : locale;
}

function ProfileForm({ profile }: { profile: StaffProfile }) {
  const { account: texts, name } = useTexts('access');
  const { save, saved } = useTexts('signedIn');
  const languages = useLanguageChoices(profile.locale);
  const [isSaved, setSaved] = useState(false);
  const update = (values: FormData) => {
    setSaved(false);
    return updateStaffProfile({ body: { name: textOf(values, 'name'), locale: localeIn(values) } });
  };
  const done = async (changed: StaffProfile | undefined) => {
    queries.setQueryData(profileQuery.queryKey, changed);
    await Promise.all([setLocale(changed?.locale ?? null), queries.invalidateQueries({ queryKey: ['session'] })]);
    setSaved(true);
  };
  return (
    <Form send={update} onSent={done} submit={save}>
      <TextField name="name" label={name} value={profile.name} autocomplete="name" required />
      <SelectField
        name="locale"
        label={texts.language}
        hint={texts.languageHint}
        required
        value={profile.locale ?? OF_COMPANY}
        choices={[{ value: OF_COMPANY, label: texts.defaultLanguage }, ...languages]}
      />
      {isSaved && <Notice kind="success">{saved}</Notice>}
    </Form>
  );
}

function AccessCard() {
  const { account: texts, ...common } = useTexts('access');
  const { staffRoles } = useTexts('console');
  const { user, permissions } = useSession();
  return (
    <Card title={texts.access}>
      <Facts>
        <Fact name={common.email}>{user.email}</Fact>
        <Fact name={texts.company}>
          <bdi>{user.tenant.name}</bdi>
        </Fact>
        <Fact name={common.role}>{staffRoles[user.role]}</Fact>
        <Fact name={texts.youMay}>
          <PermissionList permissions={permissions} />
        </Fact>
      </Facts>
    </Card>
  );
}
