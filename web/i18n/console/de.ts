import type consoleTexts from './en.ts';

export default {
  signOut: 'Abmelden',
  signIn: { title: 'Anmelden' },
  overview: { title: 'Übersicht' },
} satisfies typeof consoleTexts;
