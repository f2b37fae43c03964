import type signedIn from './en.ts';
import { formats } from '../formats.ts';

const { plural } = formats('fr');

export default {
  stillSignedIn: 'Votre session est encore ouverte.',
  continueAs: (name) => `Continuer avec ce compte : ${name}`,
  skipToContent: 'Aller au contenu',
  menu: 'Menu',
  close: 'Fermer',
  cancel: 'Annuler',
  save: 'Enregistrer',
  saved: 'Enregistré.',
  loading: 'Chargement …',
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
  copy: 'Copier',
  copied: 'Copié.',
  copyFailed: 'Le navigateur n’autorise pas la copie ici. Copiez le texte à la main.',
  forbidden: {
    title: 'Vous n’avez pas accès à cette page',
    body: 'Votre rôle ne la comprend pas. Adressez-vous à un administrateur si vous en avez besoin.',
  },
  notFound: { title: 'Introuvable', body: 'Cet élément n’existe pas, ou vous n’y avez pas accès.' },
  signedInElsewhere: 'Vous vous êtes connecté avec un autre compte dans un autre onglet. Cette page va être rechargée.',
  secondFactor: {
    due: (date) => `L’entreprise exige un second facteur. Configurez-en un avant le ${date}.`,
    setUp: 'Configurer un second facteur',
  },
  confirmIdentity: 'Confirmez que c’est bien vous',
} satisfies typeof signedIn;
