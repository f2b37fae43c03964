import type { ComponentChildren } from 'preact';

/** A component of the kit, and the states in which the catalogue shows it. */
export interface Entry {
  name: string;
  states: { name: string; show: () => ComponentChildren }[];
}

/** Names that have broken layouts: long, from right to left, without a space, with what looks like markup. */
export const NAMES = {
  usual: 'Anna Archer',
  long: 'Donaudampfschifffahrtsgesellschaft für internationale Binnenschifffahrt und Logistik mbH & Co. KG',
  unbroken: 'x'.repeat(100),
  rightToLeft: 'شركة النقل البحري',
  markup: '<b onclick="alert(1)">Anna</b>',
};
