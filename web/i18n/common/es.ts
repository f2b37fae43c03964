import type common from './en.ts';
import { formats } from '../formats.ts';

const { plural } = formats('es');

export default {
  neutralBrand: 'Portal de clientes',
  skipToContent: 'Ir al contenido',
  menu: 'Menú',
  close: 'Cerrar',
  cancel: 'Cancelar',
  save: 'Guardar',
  saved: 'Guardado.',
  retry: 'Intentar de nuevo',
  loading: 'Cargando …',
  unreachable: 'No se puede acceder al servidor. Compruebe su conexión e inténtelo de nuevo.',
  loadMore: 'Mostrar más',
  showTable: 'Mostrar como tabla',
  filters: {
    label: 'Filtros',
    all: 'Todos',
    from: 'Desde',
    to: 'Hasta',
    clear: 'Borrar los filtros',
    nothingFound: 'Ningún elemento coincide con los filtros.',
    shown: (count: number, hasMore: boolean) =>
      hasMore
        ? plural(count, { one: 'Se muestra # elemento. Hay más.', other: 'Se muestran # elementos. Hay más.' })
        : plural(count, { one: '# elemento', other: '# elementos' }),
  },
  optional: 'opcional',
  copy: 'Copiar',
  copied: 'Copiado.',
  copyFailed: 'El navegador no permite copiar aquí. Copie el texto a mano.',
  show: 'Mostrar',
  hide: 'Ocultar',
  showPassword: 'Mostrar la contraseña',
  hidePassword: 'Ocultar la contraseña',
  requestId: (id) => `Solicitud ${id}`,
  retryIn: (seconds) =>
    seconds < 90
      ? plural(seconds, { one: 'Podrá intentarlo de nuevo en # segundo.', other: 'Podrá intentarlo de nuevo en # segundos.' })
      : plural(Math.ceil(seconds / 60), { one: 'Podrá intentarlo de nuevo en # minuto.', other: 'Podrá intentarlo de nuevo en # minutos.' }),
  retryNow: 'Ya puede intentarlo de nuevo.',
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
  forbidden: {
    title: 'No tiene acceso a esta página',
    body: 'Su rol no la incluye. Si la necesita, diríjase a un administrador.',
  },
  notFound: { title: 'No encontrado', body: 'Este elemento no existe o no tiene acceso a él.' },
  signedInElsewhere: 'Ha iniciado sesión con otra cuenta en otra pestaña. Esta página se vuelve a cargar.',
} satisfies typeof common;
