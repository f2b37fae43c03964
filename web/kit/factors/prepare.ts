import { loadStyles } from '../../app/styles.ts';
import { loadTexts, type Locale } from '../../app/texts.ts';

/** Loads what the second step of a sign-in needs besides its code. */
export const prepare = (locale: Locale): Promise<unknown> =>
  Promise.all([loadTexts(locale, ['secondStep', 'signedIn', 'problems']), loadStyles('factors')]);
