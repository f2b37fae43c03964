import type common from './en.ts';

export default {
  neutralBrand: 'Espace client',
  retry: 'Réessayer',
  unreachable: 'Le serveur est injoignable. Vérifiez votre connexion et réessayez.',
  optional: 'facultatif',
  show: 'Afficher',
  hide: 'Masquer',
  showPassword: 'Afficher le mot de passe',
  hidePassword: 'Masquer le mot de passe',
  required: 'Remplissez ce champ.',
  offline: 'Vous êtes hors connexion. La page fonctionnera de nouveau dès le retour de la connexion.',
  language: 'Langue',
  languages: { en: 'English', de: 'Deutsch', fr: 'Français', es: 'Español' },
  pageNotFound: {
    title: 'Page introuvable',
    body: 'L’adresse n’est pas correcte, ou la page n’existe plus.',
    home: 'Aller à la page d’accueil',
  },
  pageFailed: {
    title: 'Cette page ne peut pas être affichée',
    body: 'Une erreur est survenue. Rechargez la page ou réessayez plus tard.',
    reload: 'Recharger la page',
  },
} satisfies typeof common;
