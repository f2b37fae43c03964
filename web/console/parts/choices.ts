import type { Choice } from '../../kit/select-field.tsx';

/** Returns the choices for values and their labels. */
export const choicesOf = (labels: Record<string, string>): Choice[] =>
  Object.entries(labels).map(([value, label]) => ({ value, label }));
