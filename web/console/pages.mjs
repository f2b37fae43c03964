// Every page of the console: its path, its file in this folder, and its texts (folders of `i18n`). A page with
// `signedIn` asks for a session first.
/** @type {import('../start/page-entry.ts').PageEntry[]} */
export const pages = [
  { path: '/console/sign-in', file: 'sign-in', texts: ['access', 'problems'] },
  { path: '/console', file: 'overview', texts: ['console', 'problems'], signedIn: true },
  { path: '/console/clients', file: 'clients', texts: ['console', 'problems'], signedIn: true },
  { path: '/console/clients/:client', file: 'client', texts: ['console', 'problems', 'outcomes'], signedIn: true },
  { path: '/console/clients/:client/bulk-invite', file: 'bulk-invite', texts: ['console', 'problems'], signedIn: true },
  { path: '/console/people', file: 'people', texts: ['console', 'problems'], signedIn: true },
  { path: '/console/invitations', file: 'invitations', texts: ['console', 'problems', 'outcomes'], signedIn: true },
  { path: '/console/mail', file: 'mail', texts: ['console', 'settings', 'problems', 'outcomes'], signedIn: true },
  { path: '/console/audit', file: 'audit', texts: ['console', 'settings', 'problems'], signedIn: true },
  { path: '/console/staff', file: 'staff', texts: ['console', 'access', 'secondStep', 'problems'], signedIn: true },
  { path: '/console/service-accounts', file: 'service-accounts', texts: ['console', 'access', 'secondStep', 'problems'], signedIn: true },
  { path: '/console/tokens', file: 'tokens', texts: ['console', 'access', 'secondStep', 'problems'], signedIn: true },
  { path: '/console/branding', file: 'branding', texts: ['console', 'settings', 'access', 'secondStep', 'problems'], signedIn: true },
  { path: '/console/sign-in-policy', file: 'sign-in-policy', texts: ['console', 'policy', 'access', 'secondStep', 'problems'], signedIn: true },
  { path: '/console/account', file: 'account', texts: ['console', 'access', 'factors', 'secondStep', 'problems'], signedIn: true },
  { path: '/console/approve-login', file: 'approve-login', texts: ['console', 'access', 'secondStep', 'problems'], signedIn: true },
];
