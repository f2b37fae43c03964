import { useRef } from 'preact/hooks';
import { useFormatLocale } from '../../../app/format-locale.ts';
import { useTexts } from '../../../app/texts.ts';
import { formats } from '../../../i18n/formats.ts';
import { Button } from '../../../kit/button.tsx';
import { Field } from '../../../kit/field.tsx';
import { contrastIn, isColor, MIN_CONTRAST, type Theme } from './contrast.ts';

/** A colour that the server has refused. */
export interface RefusedColor {
  /** The name of the field. */
  name: string;
  value: string;
  /** The nearest colour that the server accepts. */
  suggestion?: string | undefined;
}

interface ColorFieldProps {
  name: string;
  theme: Theme;
  label: string;
  hint: string;
  value: string;
  refused: RefusedColor[];
  onChange: (color: string) => void;
}

/** A field for a colour: to pick or to type. Shows its contrast, and after a refusal a colour that is accepted. */
export function ColorField({ name, theme, label, hint, value, refused, onChange }: ColorFieldProps) {
  const { branding: texts } = useTexts('settings');
  const input = useRef<HTMLInputElement>(null);
  const refusal = refused.find((each) => each.name === name && each.value === value);
  const use = (suggestion: string) => {
    onChange(suggestion);
    // The button leaves the page, and the focus must not be lost.
    input.current?.focus();
  };
  return (
    <div class="p-stack p-color">
      <Field
        name={name}
        label={label}
        hint={hint}
        required
        // The message of the form is about the colour that was sent.
        problem={refusal || value === '' ? undefined : ''}
        control={(attributes) => (
          <div class="p-color-inputs">
            <input
              type="color"
              aria-label={texts.pick(label)}
              value={isColor(value) ? value : '#000000'}
              onInput={(event) => onChange(event.currentTarget.value)}
            />
            <input
              {...attributes}
              class="p-input p-mono"
              dir="ltr"
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
              maxLength={7}
              value={value}
              ref={input}
              onInput={(event) => onChange(event.currentTarget.value.trim().toLowerCase())}
            />
          </div>
        )}
      />
      {refusal?.suggestion ? (
        <Suggestion color={refusal.suggestion} onUse={use} />
      ) : (
        isColor(value) && <Contrast ratio={contrastIn(theme, value)} />
      )}
    </div>
  );
}

function Suggestion({ color, onUse }: { color: string; onUse: (color: string) => void }) {
  const { branding: texts } = useTexts('settings');
  return (
    <div class="p-actions">
      <Button small onClick={() => onUse(color)}>
        <span class="p-color-dot" style={{ background: color }} /> {texts.use(color)}
      </Button>
    </div>
  );
}

/** Says that a colour cannot be read, while the user chooses it. */
function Contrast({ ratio }: { ratio: number }) {
  const { branding: texts } = useTexts('settings');
  const { number } = formats(useFormatLocale());
  if (ratio >= MIN_CONTRAST) return null;
  return (
    <p class="p-hint p-color-weak" role="status">
      {/* Rounded down, so that a contrast that is too low never reads as one that is enough. */}
      {texts.contrast(number(Math.floor(ratio * 10) / 10), number(MIN_CONTRAST))}
    </p>
  );
}
