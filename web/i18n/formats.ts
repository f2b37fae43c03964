// Numbers, plurals, dates and lists in a language, by the browser's own `Intl`.

/** The forms of a text that names a number. `#` stands for the number. `one` may be missing where it is as `other`. */
interface PluralForms {
  one?: string;
  other: string;
}

/** The units of times and their lengths in seconds. */
const UNITS: [string, number][] = [
  ['day', 24 * 60 * 60],
  ['hour', 60 * 60],
  ['minute', 60],
];

/** Returns the functions that format values for texts in a language. */
export function formats(locale: string) {
  const rules = new Intl.PluralRules(locale);
  const numbers = new Intl.NumberFormat(locale);
  return {
    number: (value: number) => numbers.format(value),
    /** Returns a time in its largest full unit, for example `3 minutes`. */
    duration(seconds: number): string {
      const [unit, length] = UNITS.find(([, each]) => seconds >= each) ?? ['second', 1];
      return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(Math.floor(seconds / length));
    },
    /** Returns the form for a number, for example `plural(2, { one: '# person', other: '# people' })`. */
    plural(value: number, forms: PluralForms): string {
      const form = rules.select(value) === 'one' ? (forms.one ?? forms.other) : forms.other;
      return form.replace('#', numbers.format(value));
    },
  };
}
