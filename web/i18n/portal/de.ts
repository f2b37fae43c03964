import type portal from './en.ts';

export default {
  signOut: 'Abmelden',
  home: { title: 'Start' },
} satisfies typeof portal;
