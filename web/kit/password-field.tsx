import { useState } from 'preact/hooks';
import { useTexts } from '../app/texts.ts';
import { Field, type FieldProps } from './field.tsx';

interface PasswordFieldProps extends FieldProps {
  autocomplete: 'current-password' | 'new-password';
  onInput?: (value: string) => void;
}

/** A field for a password, with a button that shows it. Pasting is allowed, as in every field. */
export function PasswordField({ autocomplete, onInput, ...props }: PasswordFieldProps) {
  const texts = useTexts('common');
  const [visible, setVisible] = useState(false);
  return (
    <Field
      {...props}
      control={(attributes) => (
        <div class="p-password">
          <input
            {...attributes}
            class="p-input"
            type={visible ? 'text' : 'password'}
            autocomplete={autocomplete}
            autocapitalize="off"
            spellcheck={false}
            onInput={(event) => onInput?.(event.currentTarget.value)}
          />
          <button
            type="button"
            class="p-password-toggle"
            aria-label={visible ? texts.hidePassword : texts.showPassword}
            aria-controls={attributes.id}
            onClick={() => setVisible(!visible)}
          >
            {visible ? texts.hide : texts.show}
          </button>
        </div>
      )}
    />
  );
}
