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
    invitationDead: 'Die Einladung ist nicht mehr gültig. Sie können sich ohne sie anmelden.',
    reasons: {
      session_ended: 'Ihre Sitzung wurde beendet. Melden Sie sich erneut an.',
      session_expired: 'Ihre Sitzung ist abgelaufen. Melden Sie sich erneut an.',
      session_revoked: 'Ihre Sitzung wurde beendet, zum Beispiel von einem anderen Gerät aus oder durch ein neues Passwort. Melden Sie sich erneut an.',
      password_reset: 'Ihr Passwort ist festgelegt. Melden Sie sich damit an.',
    },
  },
  forgot: {
    title: 'Passwort vergessen?',
    intro: 'Geben Sie Ihre E-Mail-Adresse ein. Sie erhalten eine E-Mail mit einem Link, um ein neues Passwort festzulegen.',
    submit: 'Link senden',
    back: 'Zurück zur Anmeldung',
    sentTitle: 'Prüfen Sie Ihr Postfach',
    sent: (email) => `Wenn es für ${email} ein Konto gibt, ist eine E-Mail mit einem Link unterwegs.`,
    hint: 'Das kann einige Minuten dauern. Sehen Sie auch im Spam-Ordner nach. Wenn keine E-Mail ankommt, prüfen Sie die Adresse.',
    again: 'Erneut senden',
    sentAgain: 'Eine weitere E-Mail ist unterwegs.',
    other: 'Andere Adresse verwenden',
  },
  signedOut: { title: 'Sie haben sich abgemeldet', body: 'Sie können diese Seite schließen.', signIn: 'Erneut anmelden' },
} satisfies typeof entry;
