import type common from './en.ts';

export default {
  neutralBrand: 'Portal de clientes',
  retry: 'Intentar de nuevo',
  unreachable: 'No se puede acceder al servidor. Compruebe su conexión e inténtelo de nuevo.',
  optional: 'opcional',
  show: 'Mostrar',
  hide: 'Ocultar',
  showPassword: 'Mostrar la contraseña',
  hidePassword: 'Ocultar la contraseña',
  required: 'Rellene este campo.',
  offline: 'No hay conexión. La página volverá a funcionar cuando se recupere.',
  language: 'Idioma',
  languages: { en: 'English', de: 'Deutsch', fr: 'Français', es: 'Español' },
  pageNotFound: {
    title: 'Página no encontrada',
    body: 'La dirección no es correcta o la página ya no existe.',
    home: 'Ir a la página de inicio',
  },
  pageFailed: {
    title: 'No se puede mostrar esta página',
    body: 'Se ha producido un error. Vuelva a cargar la página o inténtelo más tarde.',
    reload: 'Volver a cargar la página',
  },
} satisfies typeof common;
