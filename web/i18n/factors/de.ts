import type factors from './en.ts';
import { formats } from '../formats.ts';

const { plural } = formats('de');

export default {
  card: {
    title: 'Zweite Faktoren',
    intro: 'Mit einem zweiten Faktor fragt eine Anmeldung auch nach einem Code einer App auf Ihrem Telefon. So bleibt Ihr Konto sicher, selbst wenn eine andere Person Ihr Passwort erfährt oder Ihre E-Mails liest.',
    status: 'Status',
    on: 'Ein',
    off: 'Aus',
    requiredFrom: (date) => `Das Unternehmen verlangt ab dem ${date} einen zweiten Faktor.`,
    required: 'Das Unternehmen verlangt einen zweiten Faktor, deshalb kann er nicht ausgeschaltet werden.',
    app: 'Authentifizierungs-App',
    hasApp: 'Eingerichtet',
    noApp: 'Nicht eingerichtet',
    codes: 'Wiederherstellungscodes',
    codesLeft: (count) => plural(count, { one: 'noch # übrig', other: 'noch # übrig' }),
    codesLow: 'Es sind nur noch wenige Wiederherstellungscodes übrig. Erstellen Sie neue, bevor Sie sie brauchen.',
    codesNone: 'Es ist kein Wiederherstellungscode übrig. Ohne einen können Sie sich nicht anmelden, wenn Sie Ihr Telefon verlieren. Erstellen Sie neue.',
    codesTitle: 'Wiederherstellungscodes aufbewahren',
    setUp: 'Authentifizierungs-App einrichten',
    replace: 'Authentifizierungs-App ersetzen',
    newCodes: 'Neue Codes erstellen',
    newCodesTitle: 'Neue Wiederherstellungscodes erstellen?',
    newCodesBody: 'Die bisherigen Wiederherstellungscodes funktionieren sofort nicht mehr.',
    turnOff: 'Ausschalten',
    turnOffTitle: 'Zweite Faktoren ausschalten?',
    turnOffBody: 'Die Authentifizierungs-App, die Wiederherstellungscodes und die vertrauenswürdigen Geräte werden entfernt. Ihre Sitzungen auf anderen Geräten werden beendet.',
    turnOffConfirm: 'Zweite Faktoren ausschalten',
  },
} satisfies typeof factors;
