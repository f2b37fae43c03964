import { Field, type FieldProps } from './field.tsx';

export interface Choice {
  value: string;
  label: string;
}

interface SelectFieldProps extends FieldProps {
  choices: Choice[];
  value?: string | undefined;
  onChange?: (value: string) => void;
}

/** A field for one of a few values. */
export function SelectField({ choices, value, onChange, ...props }: SelectFieldProps) {
  return (
    <Field
      {...props}
      control={(attributes) => (
        <select {...attributes} class="p-input" value={value} onChange={(event) => onChange?.(event.currentTarget.value)}>
          {choices.map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.label}
            </option>
          ))}
        </select>
      )}
    />
  );
}
