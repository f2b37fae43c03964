import { updateSignInPolicy, type MfaScope, type SignInMethods, type SignInPolicy } from '@portico/client';
import { queries } from '../../../app/queries.tsx';
import { useTexts } from '../../../app/texts.ts';
import { Card } from '../../../kit/card.tsx';
import { Checkbox } from '../../../kit/checkbox.tsx';
import { useStepUp } from '../../../kit/factors/step-up.tsx';
import { Form, textOf } from '../../../kit/form.tsx';
import { SelectField } from '../../../kit/select-field.tsx';
import { TextField } from '../../../kit/text-field.tsx';
import { useOutcome } from '../outcome.tsx';
import { METHODS, SCOPES } from './values.ts';

/** The sign-in policy, for staff users who may change it. */
export function PolicyForm({ policy }: { policy: SignInPolicy }) {
  const texts = useTexts('policy');
  const { whenFresh } = useStepUp();
  const say = useOutcome();
  const scopes = SCOPES.map((value) => ({ value, label: texts.scopes[value] }));
  const send = (values: FormData) => whenFresh(() => updateSignInPolicy({ body: policyIn(values) }));
  const showSaved = async (saved: SignInPolicy | undefined) => {
    queries.setQueryData(['sign-in-policy'], saved);
    // The policy may concern the user too.
    await queries.invalidateQueries({ queryKey: ['session'] });
    say(texts.saved);
  };
  return (
    <Card>
      <Form
        send={send}
        onSent={showSaved}
        describe={({ code }) => (code === 'validation_failed' ? texts.methodsEmpty : undefined)}
        submit={texts.save}
      >
        <fieldset class="p-fieldset">
          <legend>{texts.methods}</legend>
          <p class="p-hint">{texts.methodsHint}</p>
          {METHODS.map((method) => (
            <Checkbox key={method} name={method} checked={policy.methods[method]}>
              {texts.methodNames[method]}
            </Checkbox>
          ))}
        </fieldset>
        <h2 class="p-card-title">{texts.mfa}</h2>
        <SelectField name="mfa.portal" label={texts.portal} hint={texts.portalHint} choices={scopes} value={policy.mfa.portal} required />
        <SelectField name="mfa.staff" label={texts.staff} hint={texts.staffHint} choices={scopes} value={policy.mfa.staff} required />
        <DaysField name="mfa.grace_days" label={texts.grace} hint={texts.graceHint} value={policy.mfa.grace_days} />
        <DaysField name="trusted_device_days" label={texts.trusted} hint={texts.trustedHint} value={policy.trusted_device_days} />
      </Form>
    </Card>
  );
}

function DaysField({ value, ...props }: { name: string; label: string; hint: string; value: number }) {
  return (
    <div class="p-days">
      <TextField {...props} type="number" inputMode="numeric" value={String(value)} required />
    </div>
  );
}

function policyIn(values: FormData) {
  const methods = Object.fromEntries(METHODS.map((method) => [method, values.has(method)])) as unknown as SignInMethods;
  const mfa = {
    portal: textOf(values, 'mfa.portal') as MfaScope,
    staff: textOf(values, 'mfa.staff') as MfaScope,
    grace_days: Number(textOf(values, 'mfa.grace_days')),
  };
  return { methods, mfa, trusted_device_days: Number(textOf(values, 'trusted_device_days')) };
}
