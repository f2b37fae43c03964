import type signedIn from './en.ts';
import { formats } from '../formats.ts';

const { plural } = formats('de');

export default {
  stillSignedIn: 'Sie sind noch angemeldet.',
  continueAs: (name) => `Als ${name} fortfahren`,
  skipToContent: 'Zum Inhalt springen',
  menu: 'Menü',
  close: 'Schließen',
  cancel: 'Abbrechen',
  save: 'Speichern',
  saved: 'Gespeichert.',
  loading: 'Wird geladen …',
  loadMore: 'Mehr anzeigen',
  showTable: 'Als Tabelle zeigen',
  filters: {
    label: 'Filter',
    all: 'Alle',
    from: 'Von',
    to: 'Bis',
    clear: 'Filter zurücksetzen',
    nothingFound: 'Kein Eintrag passt zu den Filtern.',
    shown: (count: number, hasMore: boolean) =>
      hasMore
        ? plural(count, { one: '# Eintrag wird angezeigt. Es gibt weitere.', other: '# Einträge werden angezeigt. Es gibt weitere.' })
        : plural(count, { one: '# Eintrag', other: '# Einträge' }),
  },
  copy: 'Kopieren',
  copied: 'Kopiert.',
  copyFailed: 'Der Browser lässt das Kopieren hier nicht zu. Kopieren Sie den Text von Hand.',
  forbidden: {
    title: 'Sie dürfen diese Seite nicht sehen',
    body: 'Sie gehört nicht zu Ihrer Rolle. Fragen Sie eine Administratorin oder einen Administrator, wenn Sie sie brauchen.',
  },
  notFound: { title: 'Nicht gefunden', body: 'Diesen Eintrag gibt es nicht, oder Sie dürfen ihn nicht sehen.' },
  signedInElsewhere: 'Sie haben sich in einem anderen Tab mit einem anderen Konto angemeldet. Diese Seite wird neu geladen.',
  secondFactor: {
    due: (date) => `Das Unternehmen verlangt einen zweiten Faktor. Richten Sie ihn bis zum ${date} ein.`,
    setUp: 'Zweiten Faktor einrichten',
  },
  confirmIdentity: 'Bestätigen Sie, dass Sie es sind',
} satisfies typeof signedIn;
