import type entry from './en.ts';

export default {
  email: 'Dirección de correo',
  password: 'Contraseña',
  signIn: {
    title: 'Iniciar sesión',
    intro: 'Use la dirección que fue invitada.',
    submit: 'Iniciar sesión',
    forgot: '¿Ha olvidado su contraseña?',
  },
} satisfies typeof entry;
