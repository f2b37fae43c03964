import { useTexts } from '../../../app/texts.ts';
import { Field } from '../../../kit/field.tsx';

/** The largest radius of corners, in pixels. */
const MAX_RADIUS = 24;

/** A field for the radius of corners. */
export function RadiusField({ value, onChange }: { value: number; onChange: (radius: number) => void }) {
  const { branding: texts } = useTexts('settings');
  return (
    <Field
      name="radius"
      label={texts.radius}
      required
      control={(attributes) => (
        <div class="p-radius">
          <input
            {...attributes}
            type="range"
            min={0}
            max={MAX_RADIUS}
            value={value}
            aria-valuetext={texts.pixels(value)}
            onInput={(event) => onChange(event.currentTarget.valueAsNumber)}
          />
          <output for={attributes.id}>{texts.pixels(value)}</output>
        </div>
      )}
    />
  );
}
