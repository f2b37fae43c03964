// Every page of the portal: its path, its file in this folder, and its texts (folders of `i18n`). A page with `signedIn`
// asks for a session first.
/** @type {import('../start/page-entry.ts').PageEntry[]} */
export const pages = [
  { path: '/portal/sign-in', file: 'sign-in', texts: ['entry'] },
  { path: '/portal/forgot-password', file: 'forgot-password', texts: ['links'] },
  { path: '/portal/signed-out', file: 'signed-out', texts: ['entry'] },
  { path: '/portal/activate', file: 'activate', texts: ['links', 'password'], styles: ['links'] },
  { path: '/portal/reset-password', file: 'reset-password', texts: ['links', 'password'], styles: ['links'] },
  { path: '/portal/accept-invitation', file: 'accept-invitation', texts: ['links'], styles: ['links'] },
  { path: '/portal/not-me', file: 'not-me', texts: ['links'], styles: ['links'] },
  { path: '/portal', file: 'home', texts: ['portal'], signedIn: true },
  { path: '/portal/choose-client', file: 'choose-client', texts: ['portal'], signedIn: true },
  { path: '/portal/account', file: 'account/profile', texts: ['portal'], signedIn: true },
  { path: '/portal/account/password', file: 'account/password', texts: ['portal', 'password'], signedIn: true },
  { path: '/portal/account/second-factors', file: 'account/second-factors', texts: ['portal', 'factors'], signedIn: true },
  { path: '/portal/account/sessions', file: 'account/sessions', texts: ['portal'], signedIn: true },
  { path: '/portal/colleagues', file: 'colleagues', texts: ['portal'], signedIn: true },
];
