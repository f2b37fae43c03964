import type factors from './en.ts';
import { formats } from '../formats.ts';

const { plural } = formats('fr');

export default {
  card: {
    title: 'Seconds facteurs',
    intro: 'Avec un second facteur, une connexion demande aussi un code d’une application sur votre téléphone. Votre compte reste ainsi protégé même si une autre personne apprend votre mot de passe ou lit vos e-mails.',
    status: 'Statut',
    on: 'Activés',
    off: 'Désactivés',
    requiredFrom: (date) => `L’entreprise exige un second facteur à partir du ${date}.`,
    required: 'L’entreprise exige un second facteur : il ne peut donc pas être désactivé.',
    app: 'Application d’authentification',
    hasApp: 'Configurée',
    noApp: 'Non configurée',
    codes: 'Codes de récupération',
    codesLeft: (count) => plural(count, { one: '# restant', other: '# restants' }),
    codesLow: 'Il ne reste que quelques codes de récupération. Créez-en de nouveaux avant d’en avoir besoin.',
    codesNone: 'Il ne reste aucun code de récupération. Sans code, vous ne pouvez pas vous connecter si vous perdez votre téléphone. Créez-en de nouveaux.',
    codesTitle: 'Conserver vos codes de récupération',
    setUp: 'Configurer l’application d’authentification',
    replace: 'Remplacer l’application d’authentification',
    newCodes: 'Créer de nouveaux codes',
    newCodesTitle: 'Créer de nouveaux codes de récupération ?',
    newCodesBody: 'Les anciens codes de récupération cessent aussitôt de fonctionner.',
    turnOff: 'Désactiver',
    turnOffTitle: 'Désactiver les seconds facteurs ?',
    turnOffBody: 'L’application d’authentification, les codes de récupération et les appareils de confiance sont retirés. Vos sessions sur d’autres appareils sont fermées.',
    turnOffConfirm: 'Désactiver les seconds facteurs',
  },
} satisfies typeof factors;
