import type entry from './en.ts';

export default {
  email: 'Adresse e-mail',
  password: 'Mot de passe',
  signIn: {
    title: 'Se connecter',
    intro: 'Utilisez l’adresse qui a été invitée.',
    submit: 'Se connecter',
    forgot: 'Mot de passe oublié ?',
  },
} satisfies typeof entry;
