import type consoleTexts from './en.ts';

export default {
  signOut: 'Se déconnecter',
  userMenu: (name: string) => `Menu : ${name}`,
  signIn: { title: 'Se connecter' },
  navigation: {
    overview: 'Vue d’ensemble',
    clients: 'Clients',
    people: 'Personnes',
    invitations: 'Invitations',
    mail: 'Journal des e-mails',
    audit: 'Journal d’audit',
    staff: 'Équipe',
    serviceAccounts: 'Comptes de service',
    tokens: 'Jetons d’API',
    branding: 'Identité visuelle',
    account: 'Mon compte',
  },
  staffRoles: { owner: 'Propriétaire', admin: 'Administrateur', support: 'Support', viewer: 'Lecture seule' },
  overview: { title: 'Vue d’ensemble' },
} satisfies typeof consoleTexts;
