import type factors from './en.ts';
import { formats } from '../formats.ts';

const { plural } = formats('es');

export default {
  card: {
    title: 'Segundos factores',
    intro: 'Con un segundo factor, un inicio de sesión pide también un código de una aplicación de su teléfono. Así, su cuenta sigue protegida aunque otra persona conozca su contraseña o lea sus correos.',
    status: 'Estado',
    on: 'Activados',
    off: 'Desactivados',
    requiredFrom: (date) => `La empresa exige un segundo factor a partir del ${date}.`,
    required: 'La empresa exige un segundo factor, por lo que no se puede desactivar.',
    app: 'Aplicación de autenticación',
    hasApp: 'Configurada',
    noApp: 'Sin configurar',
    codes: 'Códigos de recuperación',
    codesLeft: (count) => plural(count, { one: 'Queda #', other: 'Quedan #' }),
    codesLow: 'Quedan pocos códigos de recuperación. Cree otros antes de necesitarlos.',
    codesNone: 'No queda ningún código de recuperación. Sin uno, no podrá iniciar sesión si pierde su teléfono. Cree otros.',
    codesTitle: 'Guardar sus códigos de recuperación',
    setUp: 'Configurar la aplicación de autenticación',
    replace: 'Sustituir la aplicación de autenticación',
    newCodes: 'Crear códigos nuevos',
    newCodesTitle: '¿Crear códigos de recuperación nuevos?',
    newCodesBody: 'Los códigos de recuperación anteriores dejan de funcionar de inmediato.',
    turnOff: 'Desactivar',
    turnOffTitle: '¿Desactivar los segundos factores?',
    turnOffBody: 'Se quitan la aplicación de autenticación, los códigos de recuperación y los dispositivos de confianza. Sus sesiones en otros dispositivos se cierran.',
    turnOffConfirm: 'Desactivar los segundos factores',
  },
} satisfies typeof factors;
