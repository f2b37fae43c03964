import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { useTexts } from '../app/texts.ts';
import { useFieldProblem } from './form.tsx';

export interface FieldProps {
  name: string;
  label: string;
  /** A sentence below the label. */
  hint?: ComponentChildren;
  required?: boolean;
  /** A sentence about the value, in place of the one of the form. */
  problem?: string | undefined;
}

/** The attributes that connect a control with its label, its hint and its error message. */
export interface ControlAttributes {
  id: string;
  name: string;
  required: boolean | undefined;
  'aria-invalid': 'true' | undefined;
  'aria-describedby': string | undefined;
}

/** The label, the hint and the error message of a control. */
export function Field({ name, label, hint, required, problem, control }: FieldProps & { control: (attributes: ControlAttributes) => ComponentChildren }) {
  const texts = useTexts('common');
  const id = useId();
  const ofForm = useFieldProblem(name);
  const message = problem ?? ofForm;
  const [hintId, messageId] = [`${id}-hint`, `${id}-problem`];
  const describedBy = [hint && hintId, message && messageId].filter(Boolean).join(' ') || undefined;
  return (
    <div class="p-field">
      <label for={id}>
        {label}
        {!required && <span class="p-optional"> ({texts.optional})</span>}
      </label>
      {hint && (
        <div class="p-hint" id={hintId}>
          {hint}
        </div>
      )}
      {control({ id, name, required, 'aria-invalid': message ? 'true' : undefined, 'aria-describedby': describedBy })}
      {message && (
        <p class="p-field-problem" id={messageId}>
          {message}
        </p>
      )}
    </div>
  );
}
