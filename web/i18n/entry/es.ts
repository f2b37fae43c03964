import type entry from './en.ts';

export default {
  email: 'Correo electrónico',
  password: 'Contraseña',
  signIn: {
    title: 'Iniciar sesión',
    submit: 'Iniciar sesión',
    forgot: '¿Ha olvidado su contraseña?',
    wrong: 'El correo electrónico o la contraseña no son correctos. Tras demasiados intentos, la contraseña se bloquea: en ese caso, establezca una nueva con «¿Ha olvidado su contraseña?».',
    invitation: 'Inicie sesión para aceptar la invitación.',
    wrongAccount: 'Esta invitación es para otra cuenta. Puede iniciar sesión sin ella.',
    invitationDead: 'La invitación ya no es válida. Puede iniciar sesión sin ella.',
    reasons: {
      session_ended: 'Su sesión ha terminado. Inicie sesión de nuevo.',
      session_expired: 'Su sesión ha caducado. Inicie sesión de nuevo.',
      session_revoked: 'Su sesión se ha cerrado, por ejemplo desde otro dispositivo o por una contraseña nueva. Inicie sesión de nuevo.',
      password_reset: 'Su contraseña está establecida. Inicie sesión con ella.',
    },
  },
  signedOut: { title: 'Ha cerrado la sesión', body: 'Puede cerrar esta página.', signIn: 'Iniciar sesión de nuevo' },
} satisfies typeof entry;
