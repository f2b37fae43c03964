import type entry from './en.ts';

export default {
  email: 'E-Mail-Adresse',
  password: 'Passwort',
  signIn: {
    title: 'Anmelden',
    submit: 'Anmelden',
    forgot: 'Passwort vergessen?',
    wrong: 'Die E-Mail-Adresse oder das Passwort ist nicht richtig. Nach zu vielen Versuchen ist das Passwort gesperrt: Legen Sie dann über „Passwort vergessen?“ ein neues fest.',
    invitation: 'Melden Sie sich an, um die Einladung anzunehmen.',
    wrongAccount: 'Diese Einladung gilt für ein anderes Konto. Sie können sich ohne sie anmelden.',
    invitationDead: 'Die Einladung ist nicht mehr gültig. Sie können sich ohne sie anmelden.',
    reasons: {
      session_ended: 'Ihre Sitzung wurde beendet. Melden Sie sich erneut an.',
      session_expired: 'Ihre Sitzung ist abgelaufen. Melden Sie sich erneut an.',
      session_revoked: 'Ihre Sitzung wurde beendet, zum Beispiel von einem anderen Gerät aus oder durch ein neues Passwort. Melden Sie sich erneut an.',
      password_reset: 'Ihr Passwort ist festgelegt. Melden Sie sich damit an.',
    },
  },
  signedOut: { title: 'Sie haben sich abgemeldet', body: 'Sie können diese Seite schließen.', signIn: 'Erneut anmelden' },
} satisfies typeof entry;
