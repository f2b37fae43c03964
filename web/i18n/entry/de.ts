import type entry from './en.ts';

export default {
  email: 'E-Mail-Adresse',
  password: 'Passwort',
  signIn: {
    title: 'Anmelden',
    intro: 'Verwenden Sie die Adresse, die eingeladen wurde.',
    submit: 'Anmelden',
    forgot: 'Passwort vergessen?',
  },
} satisfies typeof entry;
