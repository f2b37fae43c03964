import { updateProfile } from '@portico/client';
import { useState } from 'preact/hooks';
import { queries } from '../../app/queries.tsx';
import { useTexts } from '../../app/texts.ts';
import { Card } from '../../kit/card.tsx';
import { Form, optionalTextOf, textOf } from '../../kit/form.tsx';
import { useLanguageChoices } from '../../kit/language-choices.ts';
import { Notice } from '../../kit/notice.tsx';
import { SelectField } from '../../kit/select-field.tsx';
import { TextField } from '../../kit/text-field.tsx';
import { AccountHead } from '../parts/account-head.tsx';
import { useSession } from '../parts/session.tsx';

/** The page for the name and the language of the user. */
export default function ProfilePage() {
  const { account, ...texts } = useTexts('portal');
  const common = useTexts('signedIn');
  const { user } = useSession();
  const languages = useLanguageChoices(user.locale);
  const [times, setTimes] = useState(0);
  const send = (values: FormData) =>
    updateProfile({ body: { name: textOf(values, 'name'), locale: optionalTextOf(values, 'locale') ?? null } });
  const showSaved = async () => {
    await queries.invalidateQueries({ queryKey: ['session'] });
    setTimes(times + 1);
  };
  return (
    <>
      <AccountHead title={account.profile.title} />
      <Card>
        <Form send={send} onSent={showSaved} submit={common.save}>
          <TextField name="name" label={texts.name} value={user.name} autocomplete="name" required />
          <TextField name="email" type="email" label={texts.email} value={user.email} hint={account.profile.email} readOnly required />
          <SelectField
            name="locale"
            label={texts.language}
            hint={account.profile.languageHint}
            choices={user.locale ? languages : [{ value: '', label: account.profile.languageNone }, ...languages]}
            value={user.locale ?? ''}
            required={user.locale !== null}
          />
          {times > 0 && (
            <Notice kind="success" key={times}>
              {common.saved}
            </Notice>
          )}
        </Form>
      </Card>
    </>
  );
}
