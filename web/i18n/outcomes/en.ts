/** The sentences of the API about the outcome of a mail (`domain/src/platform/mail/outcome_text.rs`), as pages show them. */
export default {
  'The mail waits to be sent.': 'The mail waits to be sent.',
  'The mail waits for the mail server.': 'The mail waits for the mail server.',
  'The mail server did not say whether it accepted the mail. The mail is sent again.':
    'The mail server did not say whether it accepted the mail. The mail is sent again.',
  'The mail server of the recipient does not accept the mail for now. The mail is sent again.':
    'The mail server of the recipient does not accept the mail for now. The mail is sent again.',
  'The mail server accepted the mail.': 'The mail server accepted the mail.',
  'Not sent: what the mail carried expired before the mail server accepted it.':
    'Not sent: what the mail carried expired before the mail server accepted it.',
  'Not sent: another mail with a new link or code took its place.':
    'Not sent: another mail with a new link or code took its place.',
  'Not sent: a newer mail took its place.': 'Not sent: a newer mail took its place.',
  'Not sent: the client was archived.': 'Not sent: the client was archived.',
  'Not sent: the person was disabled at the client or removed from it.':
    'Not sent: the person was disabled at the client or removed from it.',
  'Not sent: the tenant was suspended.': 'Not sent: the tenant was suspended.',
  'Not sent: the recipient is no longer an administrator of the client.':
    'Not sent: the recipient is no longer an administrator of the client.',
  'Not sent: the staff user was removed.': 'Not sent: the staff user was removed.',
  'Not sent: the API token was revoked.': 'Not sent: the API token was revoked.',
  'Not sent: the invitation no longer exists.': 'Not sent: the invitation no longer exists.',
  'Not sent: its link was no longer valid. The invitation was accepted or cancelled, or it had expired.':
    'Not sent: its link was no longer valid. The invitation was accepted or cancelled, or it had expired.',
  'Not sent: the mail was no longer needed.': 'Not sent: the mail was no longer needed.',
  'The mail was not sent.': 'The mail was not sent.',
  'The mail server of the recipient refused the address.': 'The mail server of the recipient refused the address.',
  'The mail server refused the text of the mail.': 'The mail server refused the text of the mail.',
  'The mail server refused the mail four times.': 'The mail server refused the mail four times.',
  'The mail server did not say whether it accepted the mail. The mail may have arrived.':
    'The mail server did not say whether it accepted the mail. The mail may have arrived.',
  'The mail server did not accept the mail within 72 hours.':
    'The mail server did not accept the mail within 72 hours.',
  'The mail could not be made for this address.': 'The mail could not be made for this address.',
  'Not sent: an operator discarded the mail, or it could not be processed.':
    'Not sent: an operator discarded the mail, or it could not be processed.',
};
