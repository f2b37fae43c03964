import type { CreateApiToken, CreatedApiToken, PorticoError, TokenScope } from '@portico/client';
import { useState } from 'preact/hooks';
import { useTexts } from '../../../app/texts.ts';
import { Button } from '../../../kit/button.tsx';
import { Dialog } from '../../../kit/dialog.tsx';
import type { Result } from '../../../app/call.ts';
import { Form, textOf } from '../../../kit/form.tsx';
import { Secret } from '../../../kit/secret.tsx';
import { SelectField } from '../../../kit/select-field.tsx';
import { TextField } from '../../../kit/text-field.tsx';
import { ScopesField } from './scopes-field.tsx';
import { useStepUp } from '../../../kit/factors/step-up.tsx';

interface CreateTokenProps {
  title: string;
  /** The permissions that the token can have. */
  scopes: TokenScope[];
  create: (body: CreateApiToken) => Promise<Result<CreatedApiToken>>;
  /** Runs after the token was created. */
  onCreated: () => unknown;
  onClose: () => void;
}

/** For how many days a token can be valid. The API takes 1 to 365. */
const DAYS = [7, 30, 90, 180, 365];
const DEFAULT_DAYS = 90;

/** Creates an API token, and shows its secret once. */
export function CreateToken({ title, scopes, create, onCreated, onClose }: CreateTokenProps) {
  const { tokens: texts } = useTexts('access');
  const [token, setToken] = useState<CreatedApiToken>();
  const created = (data: CreatedApiToken | undefined) => {
    setToken(data);
    return onCreated();
  };
  if (!token) return <TokenDialog title={title} scopes={scopes} create={create} onCreated={created} onClose={onClose} />;
  return (
    <Dialog key="secret" title={texts.createdTitle} onClose={onClose} persistent>
      <div class="p-stack">
        <Secret label={texts.secret} value={token.token} warning={texts.secretWarning} question={texts.secretQuestion} />
        <div class="p-actions">
          <Button kind="primary" onClick={onClose}>
            {texts.secretDone}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

interface TokenDialogProps extends Omit<CreateTokenProps, 'onCreated'> {
  onCreated: (token: CreatedApiToken | undefined) => unknown;
}

function TokenDialog({ title, scopes, create, onCreated, onClose }: TokenDialogProps) {
  const { tokens: texts, name } = useTexts('access');
  const { cancel } = useTexts('signedIn');
  const { whenFresh } = useStepUp();
  const bodyOf = (values: FormData): CreateApiToken => ({
    name: textOf(values, 'name'),
    scopes: values.getAll('scopes') as TokenScope[],
    expires_in_days: Number(values.get('expires_in_days')),
  });
  const describe = ({ code }: PorticoError) => (code === 'conflict' ? texts.tooMany : undefined);
  return (
    <Dialog key="values" title={title} onClose={onClose}>
      <Form
        send={(values) => whenFresh(() => create(bodyOf(values)))}
        onSent={onCreated}
        describe={describe}
        submit={texts.createSubmit}
        actions={
          <Button kind="plain" onClick={onClose}>
            {cancel}
          </Button>
        }
      >
        <TextField name="name" label={name} hint={texts.nameHint} required />
        <ScopesField scopes={scopes} />
        <SelectField
          name="expires_in_days"
          label={texts.expiresIn}
          required
          value={String(DEFAULT_DAYS)}
          choices={DAYS.map((days) => ({ value: String(days), label: texts.days(days) }))}
        />
      </Form>
    </Dialog>
  );
}
