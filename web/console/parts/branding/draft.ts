// The values of the branding form before they are saved.
import type { Branding, UpdateBranding } from '@portico/client';

/** The values of the form. */
export interface Draft {
  name: string;
  email: string;
  phone: string;
  locale: string;
  accent: string;
  accentDark: string;
  radius: number;
}

/** Returns the values that are saved. */
export const draftOf = ({ name, support, locale, colors, radius }: Branding): Draft => ({
  name,
  email: support.email ?? '',
  phone: support.phone ?? '',
  locale,
  accent: colors.accent,
  accentDark: colors.accent_dark,
  radius,
});

/** Returns the values that differ from the saved ones, as the API takes them. */
export function changesOf(draft: Draft, branding: Branding): UpdateBranding {
  const saved = draftOf(branding);
  const changed = <Name extends keyof Draft>(name: Name) => (draft[name] === saved[name] ? undefined : draft[name]);
  const cleared = (name: 'email' | 'phone') => (changed(name) === undefined ? undefined : draft[name].trim() || null);
  return {
    name: changed('name'),
    locale: changed('locale'),
    radius: changed('radius'),
    colors: { accent: changed('accent'), accent_dark: changed('accentDark') },
    support: { email: cleared('email'), phone: cleared('phone') },
  };
}

/** Whether the form has values that are not saved. */
export function isChanged(draft: Draft, branding: Branding): boolean {
  const saved = draftOf(branding);
  return (Object.keys(saved) as (keyof Draft)[]).some((name) => draft[name] !== saved[name]);
}
