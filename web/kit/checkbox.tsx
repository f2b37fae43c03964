import type { ComponentChildren } from 'preact';

interface CheckboxProps {
  name: string;
  value?: string;
  checked?: boolean;
  onChange?: (checked: boolean) => void;
  children: ComponentChildren;
}

/** A value that is on or off. */
export function Checkbox({ name, value = 'on', checked, onChange, children }: CheckboxProps) {
  return (
    <label class="p-checkbox">
      <input
        type="checkbox"
        name={name}
        value={value}
        {...(onChange ? { checked } : { defaultChecked: checked })}
        onChange={(event) => onChange?.(event.currentTarget.checked)}
      />
      <span>{children}</span>
    </label>
  );
}
