import { useState } from 'preact/hooks';
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
  // Without `onChange`, the field keeps its value itself. Preact would set it back to `value` when the field renders.
  const [chosen, setChosen] = useState(value);
  const change = (next: string) => {
    setChosen(next);
    onChange?.(next);
  };
  return (
    <Field
      {...props}
      control={(attributes) => (
        <select {...attributes} class="p-input" value={onChange ? value : chosen} onChange={(event) => change(event.currentTarget.value)}>
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
