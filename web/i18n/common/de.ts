import type common from './en.ts';

export default {
  neutralBrand: 'Kundenportal',
  retry: 'Erneut versuchen',
  unreachable: 'Der Server ist nicht erreichbar. Prüfen Sie Ihre Verbindung, und versuchen Sie es erneut.',
  optional: 'optional',
  show: 'Anzeigen',
  hide: 'Verbergen',
  showPassword: 'Passwort anzeigen',
  hidePassword: 'Passwort verbergen',
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
} satisfies typeof common;
