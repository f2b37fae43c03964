// Every page of the console: its path, its file in this folder, and its texts (folders of `i18n`). A page with
// `signedIn` asks for a session first.
/** @type {import('../app/page-entry.ts').PageEntry[]} */
export const pages = [
  { path: '/console/sign-in', file: 'sign-in', texts: ['console'] },
  { path: '/console', file: 'overview', texts: ['console', 'problems'], signedIn: true },
  { path: '/console/clients', file: 'clients', texts: ['console', 'problems'], signedIn: true },
  { path: '/console/clients/:client', file: 'client', texts: ['console', 'problems', 'outcomes'], signedIn: true },
  { path: '/console/clients/:client/bulk-invite', file: 'bulk-invite', texts: ['console', 'problems'], signedIn: true },
  { path: '/console/people', file: 'people', texts: ['console', 'problems'], signedIn: true },
  { path: '/console/invitations', file: 'invitations', texts: ['console', 'problems', 'outcomes'], signedIn: true },
];
