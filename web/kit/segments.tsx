import type { Choice } from './select-field.tsx';

interface SegmentsProps {
  label: string;
  choices: Choice[];
  value: string;
  onChange: (value: string) => void;
}

/** A row of buttons of which one is chosen. */
export function Segments({ label, choices, value, onChange }: SegmentsProps) {
  return (
    <div class="p-segments" role="group" aria-label={label}>
      {choices.map((choice) => (
        <button key={choice.value} type="button" aria-pressed={choice.value === value} onClick={() => onChange(choice.value)}>
          {choice.label}
        </button>
      ))}
    </div>
  );
}
