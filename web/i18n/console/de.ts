import type consoleTexts from './en.ts';

export default {
  signOut: 'Abmelden',
  userMenu: (name: string) => `Menü von ${name}`,
  signIn: { title: 'Anmelden' },
  navigation: {
    overview: 'Übersicht',
    clients: 'Kunden',
    people: 'Personen',
    invitations: 'Einladungen',
    mail: 'E-Mail-Protokoll',
    audit: 'Audit-Protokoll',
    staff: 'Team',
    serviceAccounts: 'Dienstkonten',
    tokens: 'API-Tokens',
    branding: 'Erscheinungsbild',
    account: 'Mein Konto',
  },
  staffRoles: { owner: 'Inhaber', admin: 'Administrator', support: 'Support', viewer: 'Lesezugriff' },
  overview: { title: 'Übersicht' },
} satisfies typeof consoleTexts;
