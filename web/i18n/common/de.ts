import type common from './en.ts';
import { formats } from '../formats.ts';

const { plural } = formats('de');

export default {
  neutralBrand: 'Kundenportal',
  skipToContent: 'Zum Inhalt springen',
  menu: 'Menü',
  close: 'Schließen',
  cancel: 'Abbrechen',
  save: 'Speichern',
  saved: 'Gespeichert.',
  retry: 'Erneut versuchen',
  loading: 'Wird geladen …',
  unreachable: 'Der Server ist nicht erreichbar. Prüfen Sie Ihre Verbindung, und versuchen Sie es erneut.',
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
  optional: 'optional',
  copy: 'Kopieren',
  copied: 'Kopiert.',
  copyFailed: 'Der Browser lässt das Kopieren hier nicht zu. Kopieren Sie den Text von Hand.',
  show: 'Anzeigen',
  hide: 'Verbergen',
  showPassword: 'Passwort anzeigen',
  hidePassword: 'Passwort verbergen',
  requestId: (id) => `Anfrage ${id}`,
  retryIn: (seconds) =>
    seconds < 90
      ? plural(seconds, { one: 'Sie können es in # Sekunde erneut versuchen.', other: 'Sie können es in # Sekunden erneut versuchen.' })
      : plural(Math.ceil(seconds / 60), { one: 'Sie können es in # Minute erneut versuchen.', other: 'Sie können es in # Minuten erneut versuchen.' }),
  retryNow: 'Sie können es jetzt erneut versuchen.',
  required: 'Füllen Sie dieses Feld aus.',
  offline: 'Sie sind offline. Die Seite funktioniert wieder, sobald die Verbindung besteht.',
  language: 'Sprache',
  languages: { en: 'English', de: 'Deutsch', fr: 'Français', es: 'Español' },
  pageNotFound: {
    title: 'Seite nicht gefunden',
    body: 'Die Adresse ist nicht richtig, oder es gibt die Seite nicht mehr.',
    home: 'Zur Startseite',
  },
  pageFailed: {
    title: 'Diese Seite kann nicht angezeigt werden',
    body: 'Ein Fehler ist aufgetreten. Laden Sie die Seite neu, oder versuchen Sie es später erneut.',
    reload: 'Seite neu laden',
  },
  forbidden: {
    title: 'Sie dürfen diese Seite nicht sehen',
    body: 'Sie gehört nicht zu Ihrer Rolle. Fragen Sie eine Administratorin oder einen Administrator, wenn Sie sie brauchen.',
  },
  notFound: { title: 'Nicht gefunden', body: 'Diesen Eintrag gibt es nicht, oder Sie dürfen ihn nicht sehen.' },
  signedInElsewhere: 'Sie haben sich in einem anderen Tab mit einem anderen Konto angemeldet. Diese Seite wird neu geladen.',
} satisfies typeof common;
