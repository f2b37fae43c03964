/** The texts of the console. */
export default {
  signOut: 'Sign out',
  userMenu: (name: string) => `Menu of ${name}`,
  signIn: { title: 'Sign in' },
  navigation: {
    overview: 'Overview',
    clients: 'Clients',
    people: 'People',
    invitations: 'Invitations',
    mail: 'Mail log',
    audit: 'Audit log',
    staff: 'Staff',
    serviceAccounts: 'Service accounts',
    tokens: 'API tokens',
    branding: 'Branding',
    account: 'My account',
  },
  staffRoles: { owner: 'Owner', admin: 'Admin', support: 'Support', viewer: 'Viewer' },
  overview: { title: 'Overview' },
};
