import type element from './en.ts';
import { formats } from '../formats.ts';

const { plural } = formats('es');

export default {
  email: 'Correo electrónico',
  password: 'Contraseña',
  show: 'Mostrar la contraseña',
  submit: 'Iniciar sesión',
  forgot: '¿Ha olvidado su contraseña?',
  done: 'La sesión está iniciada.',
  required: 'Rellene este campo.',
  wrong: 'El correo electrónico o la contraseña no son correctos. Tras demasiados intentos, la contraseña se bloquea: en ese caso, establezca una nueva con «¿Ha olvidado su contraseña?».',
  suspended: 'El acceso está suspendido. Diríjase a la empresa que envió la invitación.',
  retryIn: (seconds) =>
    plural(seconds, {
      one: 'Ha habido demasiados intentos. Podrá intentarlo de nuevo en # segundo.',
      other: 'Ha habido demasiados intentos. Podrá intentarlo de nuevo en # segundos.',
    }),
  unreachable: 'No se puede acceder al servidor. Compruebe su conexión e inténtelo de nuevo.',
  failed: 'Se ha producido un error. Inténtelo más tarde.',
  appCode: 'Código de la aplicación de autenticación',
  recoveryCode: 'Código de recuperación',
  useRecovery: 'Usar un código de recuperación',
  useApp: 'Usar la aplicación de autenticación',
  trust: (days) =>
    plural(days, { one: 'No volver a preguntar en este navegador durante # día', other: 'No volver a preguntar en este navegador durante # días' }),
  cancel: 'Cancelar',
  wrongCode: 'Este código no es correcto o ya se ha utilizado.',
  ended: 'Este inicio de sesión ha terminado. Inicie sesión de nuevo.',
} satisfies typeof element;
