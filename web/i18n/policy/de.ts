import type policy from './en.ts';
import { formats } from '../formats.ts';

const { plural } = formats('de');

export default {
  title: 'Anmelderichtlinie',
  intro: 'Wie sich die Personen Ihrer Kunden und Ihr eigenes Team anmelden.',
  methods: 'Arten der Anmeldung am Portal',
  methodsHint: 'Sitzungen, die auf eine Art geöffnet wurden, die Sie ausschalten, werden sofort beendet.',
  methodsEmpty: 'Mindestens eine Art der Anmeldung ist nötig.',
  methodNames: { password: 'Passwort', code: 'Code per E-Mail', passkey: 'Passkey', sso: 'Konto bei einem Identitätsanbieter' },
  mfa: 'Zweite Faktoren',
  portal: 'Im Portal erforderlich',
  staff: 'In der Konsole erforderlich',
  scopes: { off: 'Nicht erforderlich', admins: 'Personen mit Administratorrechten', all: 'Alle Personen' },
  portalHint: 'Gemeint sind Administratorrechte bei einem Kunden.',
  staffHint: 'Gemeint sind die Rollen „Inhaber“ und „Administrator“.',
  grace: 'Frist in Tagen',
  graceHint: 'So lange kann sich eine Person ohne zweiten Faktor anmelden, nachdem er verlangt oder die Person hinzugefügt wurde. Von 0 bis 90 Tagen.',
  trusted: 'Vertrauenswürdige Geräte, in Tagen',
  trustedHint: 'So lange fragt das Portal in einem Browser, dem die Person vertraut, nicht erneut nach dem zweiten Faktor. Von 0 bis 365 Tagen. Bei 0 fragt es immer.',
  days: (count) => plural(count, { one: '# Tag', other: '# Tage' }),
  save: 'Richtlinie speichern',
  saved: 'Die Anmelderichtlinie ist gespeichert.',
} satisfies typeof policy;
