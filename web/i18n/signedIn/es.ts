import type signedIn from './en.ts';
import { formats } from '../formats.ts';

const { plural } = formats('es');

export default {
  stillSignedIn: 'Su sesión sigue abierta.',
  continueAs: (name) => `Continuar como ${name}`,
  skipToContent: 'Ir al contenido',
  menu: 'Menú',
  close: 'Cerrar',
  cancel: 'Cancelar',
  save: 'Guardar',
  saved: 'Guardado.',
  loading: 'Cargando …',
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
  copy: 'Copiar',
  copied: 'Copiado.',
  copyFailed: 'El navegador no permite copiar aquí. Copie el texto a mano.',
  forbidden: {
    title: 'No tiene acceso a esta página',
    body: 'Su rol no la incluye. Si la necesita, diríjase a un administrador.',
  },
  notFound: { title: 'No encontrado', body: 'Este elemento no existe o no tiene acceso a él.' },
  signedInElsewhere: 'Ha iniciado sesión con otra cuenta en otra pestaña. Esta página se vuelve a cargar.',
  secondFactor: {
    due: (date) => `La empresa exige un segundo factor. Configúrelo antes del ${date}.`,
    setUp: 'Configurar un segundo factor',
  },
  confirmIdentity: 'Confirme que es usted',
} satisfies typeof signedIn;
