// The profile of the staff user, which has the language. The session does not have it.
import { useQuery } from '@tanstack/preact-query';
import { getStaffProfile, updateStaffProfile, type PorticoError } from '@portico/client';
import { useEffect } from 'preact/hooks';
import { dataOf, queries } from '../../app/queries.tsx';
import { setLocale } from '../../app/locale-provider.tsx';
import { localeOf, useLocale, type Locale } from '../../app/texts.ts';

/** The query for the profile of the staff user. */
export const profileQuery = { queryKey: ['profile'], queryFn: () => dataOf(getStaffProfile()) };

/** Shows the pages in the language of the profile, once a staff user is signed in. */
export function useLanguageOfProfile(isSignedIn: boolean): void {
  const shown = useLocale();
  const { data } = useQuery({ ...profileQuery, enabled: isSignedIn, staleTime: Infinity });
  const chosen = data?.locale;
  useEffect(() => {
    if (chosen && localeOf(chosen) !== shown) void setLocale(chosen);
  }, [chosen]);
}

/** Shows the pages in a language, and saves it in the profile: the next page would be in that of the profile. */
export async function chooseLanguage(locale: Locale): Promise<PorticoError | undefined> {
  const [{ data, error }] = await Promise.all([updateStaffProfile({ body: { locale } }), setLocale(locale)]);
  if (data) queries.setQueryData(profileQuery.queryKey, data);
  return error;
}
