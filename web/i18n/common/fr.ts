import type common from './en.ts';
import { formats } from '../formats.ts';

const { plural } = formats('fr');

export default {
  neutralBrand: 'Espace client',
  skipToContent: 'Aller au contenu',
  menu: 'Menu',
  close: 'Fermer',
  cancel: 'Annuler',
  save: 'Enregistrer',
  saved: 'Enregistré.',
  retry: 'Réessayer',
  loading: 'Chargement …',
  unreachable: 'Le serveur est injoignable. Vérifiez votre connexion et réessayez.',
  loadMore: 'Afficher plus',
  showTable: 'Afficher sous forme de tableau',
  filters: {
    label: 'Filtres',
    all: 'Tous',
    from: 'Du',
    to: 'Au',
    clear: 'Effacer les filtres',
    nothingFound: 'Aucun élément ne correspond aux filtres.',
    shown: (count: number, hasMore: boolean) =>
      hasMore
        ? plural(count, { one: '# élément affiché. Il y en a d’autres.', other: '# éléments affichés. Il y en a d’autres.' })
        : plural(count, { one: '# élément', other: '# éléments' }),
  },
  optional: 'facultatif',
  copy: 'Copier',
  copied: 'Copié.',
  copyFailed: 'Le navigateur n’autorise pas la copie ici. Copiez le texte à la main.',
  show: 'Afficher',
  hide: 'Masquer',
  showPassword: 'Afficher le mot de passe',
  hidePassword: 'Masquer le mot de passe',
  requestId: (id) => `Requête ${id}`,
  retryIn: (seconds) =>
    seconds < 90
      ? plural(seconds, { one: 'Vous pourrez réessayer dans # seconde.', other: 'Vous pourrez réessayer dans # secondes.' })
      : plural(Math.ceil(seconds / 60), { one: 'Vous pourrez réessayer dans # minute.', other: 'Vous pourrez réessayer dans # minutes.' }),
  retryNow: 'Vous pouvez réessayer maintenant.',
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
  forbidden: {
    title: 'Vous n’avez pas accès à cette page',
    body: 'Votre rôle ne la comprend pas. Adressez-vous à un administrateur si vous en avez besoin.',
  },
  notFound: { title: 'Introuvable', body: 'Cet élément n’existe pas, ou vous n’y avez pas accès.' },
  signedInElsewhere: 'Vous vous êtes connecté avec un autre compte dans un autre onglet. Cette page va être rechargée.',
} satisfies typeof common;
