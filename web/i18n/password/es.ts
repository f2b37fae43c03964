import type password from './en.ts';

export default {
  label: 'Contraseña nueva',
  rules: (min) => [
    `Al menos ${min} caracteres. Cuanto más larga, mejor.`,
    'Varias palabras sin relación entre sí son una buena elección.',
    'No use su nombre, su correo electrónico ni el nombre de su empresa.',
  ],
  strength: {
    password_too_short: 'La contraseña es demasiado corta.',
    password_too_long: 'La contraseña es demasiado larga.',
    password_weak: 'Esta contraseña es fácil de adivinar.',
    good: 'Es una buena contraseña.',
    strong: 'Es una contraseña segura.',
  },
} satisfies typeof password;
