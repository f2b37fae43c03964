import type { Ref } from 'preact';
import { Field, type FieldProps } from './field.tsx';

interface TextFieldProps extends FieldProps {
  type?: 'text' | 'email' | 'tel' | 'search' | 'date' | 'number';
  autocomplete?: string;
  inputMode?: 'text' | 'email' | 'numeric' | 'tel' | 'search';
  value?: string | undefined;
  onInput?: (value: string) => void;
  autoFocus?: boolean;
  readOnly?: boolean;
  maxLength?: number;
  inputRef?: Ref<HTMLInputElement>;
}

/** A field for one line of text. */
export function TextField({ type = 'text', value, onInput, inputRef, autocomplete = 'off', inputMode, ...props }: TextFieldProps) {
  return (
    <Field
      {...props}
      control={(attributes) => (
        <input
          {...attributes}
          class="p-input"
          type={type}
          dir={type === 'text' || type === 'search' ? 'auto' : undefined}
          autocomplete={autocomplete}
          inputMode={inputMode}
          spellcheck={false}
          autoFocus={props.autoFocus}
          readOnly={props.readOnly}
          maxLength={props.maxLength}
          {...(onInput ? { value } : { defaultValue: value })}
          onInput={(event) => onInput?.(event.currentTarget.value)}
          ref={inputRef}
        />
      )}
    />
  );
}
