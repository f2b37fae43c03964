import type portal from './en.ts';

export default {
  signOut: 'Se déconnecter',
  home: { title: 'Accueil' },
} satisfies typeof portal;
