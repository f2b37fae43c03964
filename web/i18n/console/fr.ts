import type consoleTexts from './en.ts';

export default {
  signOut: 'Se déconnecter',
  signIn: { title: 'Se connecter' },
  overview: { title: 'Vue d’ensemble' },
} satisfies typeof consoleTexts;
