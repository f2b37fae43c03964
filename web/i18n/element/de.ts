import type element from './en.ts';
import { formats } from '../formats.ts';

const { plural } = formats('de');

export default {
  email: 'E-Mail-Adresse',
  password: 'Passwort',
  show: 'Passwort anzeigen',
  submit: 'Anmelden',
  forgot: 'Passwort vergessen?',
  done: 'Sie sind angemeldet.',
  required: 'Füllen Sie dieses Feld aus.',
  wrong: 'Die E-Mail-Adresse oder das Passwort ist nicht richtig. Nach zu vielen Versuchen ist das Passwort gesperrt: Legen Sie dann über „Passwort vergessen?“ ein neues fest.',
  suspended: 'Der Zugang ist gesperrt. Wenden Sie sich an das Unternehmen, das Sie eingeladen hat.',
  retryIn: (seconds) =>
    plural(seconds, {
      one: 'Es gab zu viele Versuche. Sie können es in # Sekunde erneut versuchen.',
      other: 'Es gab zu viele Versuche. Sie können es in # Sekunden erneut versuchen.',
    }),
  unreachable: 'Der Server ist nicht erreichbar. Prüfen Sie Ihre Verbindung, und versuchen Sie es erneut.',
  failed: 'Ein Fehler ist aufgetreten. Versuchen Sie es später erneut.',
  appCode: 'Code der Authentifizierungs-App',
  recoveryCode: 'Wiederherstellungscode',
  useRecovery: 'Stattdessen einen Wiederherstellungscode verwenden',
  useApp: 'Stattdessen die Authentifizierungs-App verwenden',
  trust: (days) =>
    plural(days, { one: 'In diesem Browser # Tag lang nicht mehr fragen', other: 'In diesem Browser # Tage lang nicht mehr fragen' }),
  cancel: 'Abbrechen',
  wrongCode: 'Dieser Code ist nicht richtig, oder er wurde bereits verwendet.',
  ended: 'Diese Anmeldung ist beendet. Melden Sie sich erneut an.',
} satisfies typeof element;
