import type password from './en.ts';

export default {
  label: 'Neues Passwort',
  rules: (min) => [
    `Mindestens ${min} Zeichen. Länger ist besser.`,
    'Mehrere Wörter, die nicht zusammengehören, sind eine gute Wahl.',
    'Nicht Ihr Name, Ihre E-Mail-Adresse oder der Name Ihres Unternehmens.',
  ],
  strength: {
    password_too_short: 'Das Passwort ist zu kurz.',
    password_too_long: 'Das Passwort ist zu lang.',
    password_weak: 'Dieses Passwort ist leicht zu erraten.',
    good: 'Das ist ein gutes Passwort.',
    strong: 'Das ist ein starkes Passwort.',
  },
} satisfies typeof password;
