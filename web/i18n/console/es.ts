import type consoleTexts from './en.ts';

export default {
  signOut: 'Cerrar sesión',
  signIn: { title: 'Iniciar sesión' },
  overview: { title: 'Resumen' },
} satisfies typeof consoleTexts;
