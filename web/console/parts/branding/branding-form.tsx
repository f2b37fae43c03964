import { updateBranding, type Branding, type PorticoError } from '@portico/client';
import { useState } from 'preact/hooks';
import { useTexts } from '../../../app/texts.ts';
import { Button } from '../../../kit/button.tsx';
import { Card } from '../../../kit/card.tsx';
import { useStepUp } from '../../../kit/factors/step-up.tsx';
import { Form } from '../../../kit/form.tsx';
import { useLanguageChoices } from '../../../kit/language-choices.ts';
import { SelectField } from '../../../kit/select-field.tsx';
import { TextField } from '../../../kit/text-field.tsx';
import { useOutcome } from '../outcome.tsx';
import { ColorField, type RefusedColor } from './color-field.tsx';
import { changesOf, draftOf, isChanged, type Draft } from './draft.ts';
import { RadiusField } from './radius-field.tsx';

interface BrandingFormProps {
  branding: Branding;
  draft: Draft;
  onChange: (changes: Partial<Draft>) => void;
  onSaved: (saved: Branding) => void;
}

/** The form for the name, the contacts, the language and the look. */
export function BrandingForm({ branding, draft, onChange, onSaved }: BrandingFormProps) {
  const { branding: texts } = useTexts('settings');
  const [refused, setRefused] = useState<RefusedColor[]>([]);
  const say = useOutcome();
  const { whenFresh } = useStepUp();
  const changed = isChanged(draft, branding);
  const send = () => {
    say('');
    return whenFresh(() => updateBranding({ body: changesOf(draft, branding) }));
  };
  const fields = { draft, onChange, refused };
  return (
    <Card>
      <Form
        send={send}
        onSent={(saved) => saved && onSaved(saved)}
        onProblem={(problem) => setRefused(refusedColors(problem, draft))}
        submit={texts.save}
        actions={
          changed && (
            <>
              <Button kind="plain" onClick={() => onChange(draftOf(branding))}>
                {texts.discard}
              </Button>
              <span class="p-muted p-small">{texts.unsaved}</span>
            </>
          )
        }
      >
        <CompanyFields {...fields} />
        <LookFields {...fields} />
      </Form>
    </Card>
  );
}

interface FieldsProps {
  draft: Draft;
  onChange: (changes: Partial<Draft>) => void;
  refused: RefusedColor[];
}

function CompanyFields({ draft, onChange }: FieldsProps) {
  const { branding: texts } = useTexts('settings');
  return (
    <>
      <TextField name="name" label={texts.name} hint={texts.nameHint} value={draft.name} required onInput={(name) => onChange({ name })} />
      <fieldset class="p-fieldset p-group">
        <legend>{texts.support}</legend>
        <p class="p-hint">{texts.supportHint}</p>
        <TextField name="support.email" type="email" label={texts.supportEmail} value={draft.email} onInput={(email) => onChange({ email })} />
        <TextField
          name="support.phone"
          type="tel"
          label={texts.supportPhone}
          hint={texts.supportPhoneHint}
          value={draft.phone}
          onInput={(phone) => onChange({ phone })}
        />
      </fieldset>
      <LanguageField draft={draft} onChange={onChange} />
    </>
  );
}

function LanguageField({ draft, onChange }: Omit<FieldsProps, 'refused'>) {
  const { branding: texts } = useTexts('settings');
  const [before] = useState(draft.locale);
  return (
    <SelectField
      name="locale"
      label={texts.locale}
      hint={texts.localeHint}
      choices={useLanguageChoices(before)}
      value={draft.locale}
      required
      onChange={(locale) => onChange({ locale })}
    />
  );
}

function LookFields({ draft, onChange, refused }: FieldsProps) {
  const { branding: texts } = useTexts('settings');
  return (
    <fieldset class="p-fieldset p-group">
      <legend>{texts.look}</legend>
      <ColorField
        name="colors.accent"
        theme="light"
        label={texts.accent}
        hint={texts.accentHint}
        value={draft.accent}
        refused={refused}
        onChange={(accent) => onChange({ accent })}
      />
      <ColorField
        name="colors.accent_dark"
        theme="dark"
        label={texts.accentDark}
        hint={texts.accentDarkHint}
        value={draft.accentDark}
        refused={refused}
        onChange={(accentDark) => onChange({ accentDark })}
      />
      <RadiusField value={draft.radius} onChange={(radius) => onChange({ radius })} />
    </fieldset>
  );
}

/** Returns the colours that the server has refused, with the ones that it suggests. */
function refusedColors(problem: PorticoError, { accent, accentDark }: Draft): RefusedColor[] {
  if (!('errors' in problem)) return [];
  const values: Record<string, string> = { '/colors/accent': accent, '/colors/accent_dark': accentDark };
  return (problem.errors ?? []).flatMap(({ pointer, suggestion }) => {
    const value = values[pointer];
    return value === undefined ? [] : [{ name: pointer.slice(1).replace('/', '.'), value, suggestion }];
  });
}
