import type policy from './en.ts';
import { formats } from '../formats.ts';

const { plural } = formats('fr');

export default {
  title: 'Règles de connexion',
  intro: 'Comment les personnes de vos clients et votre propre équipe se connectent.',
  methods: 'Moyens de connexion au portail',
  methodsHint: 'Les sessions ouvertes par un moyen que vous désactivez sont aussitôt fermées.',
  methodsEmpty: 'Il faut au moins un moyen de connexion.',
  methodNames: { password: 'Mot de passe', code: 'Code par e-mail', passkey: 'Clé d’accès', sso: 'Compte chez un fournisseur d’identité' },
  mfa: 'Seconds facteurs',
  portal: 'Exigés dans le portail',
  staff: 'Exigés dans la console',
  scopes: { off: 'Non exigés', admins: 'Personnes avec droits d’administration', all: 'Toutes les personnes' },
  portalHint: 'Il s’agit des droits d’administration chez un client.',
  staffHint: 'Il s’agit des rôles « Propriétaire » et « Administrateur ».',
  grace: 'Délai en jours',
  graceHint: 'Pendant ce délai, une personne peut se connecter sans second facteur après qu’il est exigé ou après son ajout. De 0 à 90 jours.',
  trusted: 'Appareils de confiance, en jours',
  trustedHint: 'Pendant ce temps, le portail ne redemande pas le second facteur dans un navigateur de confiance. De 0 à 365 jours. Avec 0, il le demande toujours.',
  days: (count) => plural(count, { one: '# jour', other: '# jours' }),
  save: 'Enregistrer les règles',
  saved: 'Les règles de connexion sont enregistrées.',
} satisfies typeof policy;
