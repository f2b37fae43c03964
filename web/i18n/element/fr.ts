import type element from './en.ts';
import { formats } from '../formats.ts';

const { plural } = formats('fr');

export default {
  email: 'Adresse e-mail',
  password: 'Mot de passe',
  show: 'Afficher le mot de passe',
  submit: 'Se connecter',
  forgot: 'Mot de passe oublié ?',
  done: 'Votre session est ouverte.',
  required: 'Remplissez ce champ.',
  wrong: 'L’adresse e-mail ou le mot de passe n’est pas correct. Après trop de tentatives, le mot de passe est bloqué : définissez-en alors un nouveau avec « Mot de passe oublié ? ».',
  suspended: 'L’accès est suspendu. Contactez l’entreprise à l’origine de l’invitation.',
  retryIn: (seconds) =>
    plural(seconds, {
      one: 'Il y a eu trop de tentatives. Vous pourrez réessayer dans # seconde.',
      other: 'Il y a eu trop de tentatives. Vous pourrez réessayer dans # secondes.',
    }),
  unreachable: 'Le serveur est injoignable. Vérifiez votre connexion et réessayez.',
  failed: 'Une erreur est survenue. Réessayez plus tard.',
  appCode: 'Code de l’application d’authentification',
  recoveryCode: 'Code de récupération',
  useRecovery: 'Utiliser plutôt un code de récupération',
  useApp: 'Utiliser plutôt l’application d’authentification',
  trust: (days) =>
    plural(days, { one: 'Ne plus demander dans ce navigateur pendant # jour', other: 'Ne plus demander dans ce navigateur pendant # jours' }),
  cancel: 'Annuler',
  wrongCode: 'Ce code n’est pas correct, ou il a déjà été utilisé.',
  ended: 'Cette connexion est terminée. Connectez-vous de nouveau.',
} satisfies typeof element;
