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
        <select
          {...attributes}
          class="p-input"
          {...(onChange ? { value } : {})}
          onChange={(event) => onChange?.(event.currentTarget.value)}
        >
          {choices.map((choice) => (
            // Without `onChange`, `value` is the first choice only. A controlled select would return to it at each
            // rendering.
            <option key={choice.value} value={choice.value} selected={!onChange && choice.value === value}>
              {choice.label}
            </option>
          ))}
        </select>
      )}
    />
  );
}
