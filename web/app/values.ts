/**
 * Returns all values of a type of the API, in the order of the table. A table without one of them does not compile, so
 * no list lacks what a newer server has.
 */
export const valuesOf = <Value extends string>(table: Record<Value, true>): readonly Value[] =>
  Object.keys(table) as Value[];
