import type { BundleName } from '../app/texts.ts';

/** A page of an app: an entry of `portal/pages.mjs` or `console/pages.mjs`. */
export interface PageEntry {
  /** The path. A segment that begins with a colon is a parameter. */
  path: string;
  /** The file in the folder of the app, without its extension. */
  file: string;
  /** The bundles of texts that the page uses, besides `common`, and `signedIn` after sign-in. */
  texts: BundleName[];
  /** The files of `kit/styles` that the page needs besides those of all pages before or after sign-in. */
  styles?: string[];
  /** Whether the page asks for a session first. */
  signedIn?: boolean;
}
