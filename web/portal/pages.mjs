// Every page of the portal: its path, its file in this folder, and its texts (folders of `i18n`). A page with `signedIn`
// asks for a session first.
/** @type {import('../app/page-entry.ts').PageEntry[]} */
export const pages = [
  { path: '/portal/sign-in', file: 'sign-in', texts: ['entry'] },
  { path: '/portal', file: 'home', texts: ['portal'], signedIn: true },
];
