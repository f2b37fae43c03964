import type portal from './en.ts';

export default {
  signOut: 'Cerrar sesión',
  home: { title: 'Inicio' },
} satisfies typeof portal;
