// The filters above a list.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { MIN_SEARCH_LENGTH, SEARCH_DELAY_MS } from '../app/search.ts';
import { useTexts } from '../app/texts.ts';
import { Button } from './button.tsx';
import type { Choice } from './select-field.tsx';

/** A row of filters. With `onClear`, a button removes them. */
export function FilterBar({ onClear, children }: { onClear?: (() => void) | undefined; children: ComponentChildren }) {
  const { filters } = useTexts('signedIn');
  return (
    <div class="p-filters" role="group" aria-label={filters.label}>
      {children}
      {onClear && (
        <Button kind="plain" small onClick={onClear}>
          {filters.clear}
        </Button>
      )}
    </div>
  );
}

interface FilterProps {
  label: string;
  value: string | undefined;
  onChange: (value: string) => void;
}

/** A filter for a text. It takes effect once the user pauses. */
export function SearchFilter({ label, value = '', onChange, hint }: FilterProps & { hint?: string }) {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const reported = useRef(value);
  useEffect(() => {
    // The user has changed the address by other means, for example with the back button.
    if (value !== reported.current) reset(value);
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const reset = (next: string) => {
    clearTimeout(timer.current);
    reported.current = next;
    setText(next);
  };
  const report = (typed: string) => {
    const next = typed.trim().length < MIN_SEARCH_LENGTH ? '' : typed.trim();
    if (next === reported.current) return;
    reported.current = next;
    onChange(next);
  };
  const input = (next: string) => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => report(next), SEARCH_DELAY_MS);
  };
  return (
    <Labelled label={label} wide>
      {(id) => (
        <input
          id={id}
          class="p-input"
          type="search"
          dir="auto"
          autocomplete="off"
          spellcheck={false}
          placeholder={hint}
          value={text}
          onInput={(event) => input(event.currentTarget.value)}
        />
      )}
    </Labelled>
  );
}

interface ValueFilterProps extends FilterProps {
  hint?: string;
  /** What a value looks like. */
  pattern: RegExp;
  /** Says that a text is no value. */
  problem: string;
}

/** A filter for a whole value, such as an address. It takes effect with Enter, and when the user leaves it. */
export function ValueFilter({ label, value = '', onChange, hint, pattern, problem }: ValueFilterProps) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const typed = text.trim();
  const [isChecked, setChecked] = useState(false);
  const isInvalid = isChecked && typed !== '' && !pattern.test(typed);
  const report = () => {
    setChecked(true);
    if (typed !== value && (typed === '' || pattern.test(typed))) onChange(typed);
  };
  return (
    <Labelled label={label} problem={isInvalid ? problem : undefined} wide>
      {(id) => (
        <input
          id={id}
          class="p-input"
          type="text"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          placeholder={hint}
          value={text}
          aria-invalid={isInvalid ? 'true' : undefined}
          aria-describedby={isInvalid ? `${id}-problem` : undefined}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setChecked(false);
          }}
          onChange={report}
        />
      )}
    </Labelled>
  );
}

/** A filter for one of a few values, or for all. */
export function SelectFilter({ label, value = '', onChange, choices }: FilterProps & { choices: Choice[] }) {
  const { filters } = useTexts('signedIn');
  return (
    <Labelled label={label}>
      {(id) => (
        <select id={id} class="p-input" value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          <option value="">{filters.all}</option>
          {choices.map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.label}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

interface DateRangeFilterProps {
  /** Days such as `2026-03-31`. */
  from: string | undefined;
  to: string | undefined;
  onChange: (range: { from?: string; to?: string }) => void;
}

/** A filter for a range of days. */
export function DateRangeFilter({ from, to, onChange }: DateRangeFilterProps) {
  const { filters } = useTexts('signedIn');
  return (
    <div class="p-filter-range">
      <DayFilter label={filters.from} value={from} max={to} onChange={(value) => onChange({ from: value })} />
      <DayFilter label={filters.to} value={to} min={from} onChange={(value) => onChange({ to: value })} />
    </div>
  );
}

function DayFilter({ label, value = '', onChange, ...bounds }: FilterProps & { min?: string | undefined; max?: string | undefined }) {
  return (
    <Labelled label={label}>
      {(id) => (
        <input id={id} class="p-input" type="date" value={value} onChange={(event) => onChange(event.currentTarget.value)} {...bounds} />
      )}
    </Labelled>
  );
}

interface LabelledProps {
  label: string;
  wide?: boolean;
  problem?: string | undefined;
  children: (id: string) => ComponentChildren;
}

/** The label of a filter, and what is wrong with its text. */
export function Labelled({ label, wide, problem, children }: LabelledProps) {
  const id = useId();
  return (
    <div class={wide ? 'p-filter p-filter-wide' : 'p-filter'}>
      <label for={id}>{label}</label>
      {children(id)}
      {problem && (
        <p class="p-field-problem" id={`${id}-problem`} role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
