import type password from './en.ts';

export default {
  label: 'Nouveau mot de passe',
  rules: (min) => [
    `Au moins ${min} caractères. Plus il est long, mieux c’est.`,
    'Plusieurs mots sans rapport entre eux sont un bon choix.',
    'Ni votre nom, ni votre adresse e-mail, ni le nom de votre entreprise.',
  ],
  strength: {
    password_too_short: 'Le mot de passe est trop court.',
    password_too_long: 'Le mot de passe est trop long.',
    password_weak: 'Ce mot de passe est facile à deviner.',
    good: 'C’est un bon mot de passe.',
    strong: 'C’est un mot de passe robuste.',
  },
} satisfies typeof password;
