import type outcomes from './en.ts';

export default {
  'The mail waits to be sent.': 'Die E-Mail wartet auf den Versand.',
  'The mail waits for the mail server.': 'Die E-Mail wartet auf den Mailserver.',
  'The mail server did not say whether it accepted the mail. The mail is sent again.':
    'Der Mailserver hat nicht bestätigt, ob er die E-Mail angenommen hat. Sie wird erneut gesendet.',
  'The mail server of the recipient does not accept the mail for now. The mail is sent again.':
    'Der Mailserver des Empfängers nimmt die E-Mail zurzeit nicht an. Sie wird erneut gesendet.',
  'The mail server accepted the mail.': 'Der Mailserver hat die E-Mail angenommen.',
  'Not sent: what the mail carried expired before the mail server accepted it.':
    'Nicht gesendet: Der Inhalt ist abgelaufen, bevor der Mailserver die E-Mail angenommen hat.',
  'Not sent: another mail with a new link or code took its place.':
    'Nicht gesendet: Eine andere E-Mail mit einem neuen Link oder Code hat sie ersetzt.',
  'Not sent: a newer mail took its place.': 'Nicht gesendet: Eine neuere E-Mail hat sie ersetzt.',
  'Not sent: the client was archived.': 'Nicht gesendet: Der Kunde wurde archiviert.',
  'Not sent: the person was disabled at the client or removed from it.':
    'Nicht gesendet: Die Person wurde beim Kunden deaktiviert oder von ihm entfernt.',
  'Not sent: the tenant was suspended.': 'Nicht gesendet: Ihr Unternehmen wurde gesperrt.',
  'Not sent: the recipient is no longer an administrator of the client.':
    'Nicht gesendet: Der Empfänger hat beim Kunden keine Administratorrechte mehr.',
  'Not sent: the staff user was removed.': 'Nicht gesendet: Das Teammitglied wurde entfernt.',
  'Not sent: the API token was revoked.': 'Nicht gesendet: Das API-Token wurde widerrufen.',
  'Not sent: the invitation no longer exists.': 'Nicht gesendet: Die Einladung gibt es nicht mehr.',
  'Not sent: its link was no longer valid. The invitation was accepted or cancelled, or it had expired.':
    'Nicht gesendet: Der Link galt nicht mehr. Die Einladung wurde angenommen oder zurückgezogen, oder sie war abgelaufen.',
  'Not sent: the mail was no longer needed.': 'Nicht gesendet: Die E-Mail wurde nicht mehr gebraucht.',
  'The mail was not sent.': 'Die E-Mail wurde nicht gesendet.',
  'The mail server of the recipient refused the address.': 'Der Mailserver des Empfängers hat die Adresse abgelehnt.',
  'The mail server refused the text of the mail.': 'Der Mailserver hat den Text der E-Mail abgelehnt.',
  'The mail server refused the mail four times.': 'Der Mailserver hat die E-Mail viermal abgelehnt.',
  'The mail server did not say whether it accepted the mail. The mail may have arrived.':
    'Der Mailserver hat nicht bestätigt, ob er die E-Mail angenommen hat. Sie ist vielleicht angekommen.',
  'The mail server did not accept the mail within 72 hours.':
    'Der Mailserver hat die E-Mail innerhalb von 72 Stunden nicht angenommen.',
  'The mail could not be made for this address.': 'Für diese Adresse ließ sich keine E-Mail erstellen.',
  'Not sent: an operator discarded the mail, or it could not be processed.':
    'Nicht gesendet: Der Betreiber hat die E-Mail verworfen, oder sie konnte nicht verarbeitet werden.',
} satisfies typeof outcomes;
