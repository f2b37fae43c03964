// Numbers, plurals, dates and lists in a language, by the browser's own `Intl`.

/** The forms of a text that names a number. `#` stands for the number. `one` may be missing where it is as `other`. */
interface PluralForms {
  one?: string;
  other: string;
}

/** Returns the functions that format values for texts in a language. */
export function formats(locale: string) {
  const rules = new Intl.PluralRules(locale);
  const numbers = new Intl.NumberFormat(locale);
  return {
    number: (value: number) => numbers.format(value),
    /** Returns the form for a number, for example `plural(2, { one: '# person', other: '# people' })`. */
    plural(value: number, forms: PluralForms): string {
      const form = rules.select(value) === 'one' ? (forms.one ?? forms.other) : forms.other;
      return form.replace('#', numbers.format(value));
    },
  };
}
