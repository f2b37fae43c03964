import type policy from './en.ts';
import { formats } from '../formats.ts';

const { plural } = formats('es');

export default {
  title: 'Política de inicio de sesión',
  intro: 'Cómo inician sesión las personas de sus clientes y su propio equipo.',
  methods: 'Formas de iniciar sesión en el portal',
  methodsHint: 'Las sesiones abiertas de una forma que usted desactive se cierran de inmediato.',
  methodsEmpty: 'Se necesita al menos una forma de iniciar sesión.',
  methodNames: { password: 'Contraseña', code: 'Código por correo', passkey: 'Llave de acceso', sso: 'Cuenta en un proveedor de identidad' },
  mfa: 'Segundos factores',
  portal: 'Obligatorios en el portal',
  staff: 'Obligatorios en la consola',
  scopes: { off: 'No obligatorios', admins: 'Personas con permisos de administración', all: 'Todas las personas' },
  portalHint: 'Son los permisos de administración en un cliente.',
  staffHint: 'Son los roles «Propietario» y «Administrador».',
  grace: 'Plazo en días',
  graceHint: 'Durante este plazo, una persona puede iniciar sesión sin segundo factor desde que es obligatorio o desde que se añadió a la persona. De 0 a 90 días.',
  trusted: 'Dispositivos de confianza, en días',
  trustedHint: 'Durante este tiempo, el portal no vuelve a pedir el segundo factor en un navegador de confianza. De 0 a 365 días. Con 0, lo pide siempre.',
  days: (count) => plural(count, { one: '# día', other: '# días' }),
  save: 'Guardar la política',
  saved: 'La política de inicio de sesión se ha guardado.',
} satisfies typeof policy;
