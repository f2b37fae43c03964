import type outcomes from './en.ts';

export default {
  'The mail waits to be sent.': 'L’e-mail attend d’être envoyé.',
  'The mail waits for the mail server.': 'L’e-mail attend le serveur de messagerie.',
  'The mail server did not say whether it accepted the mail. The mail is sent again.':
    'Le serveur de messagerie n’a pas confirmé l’acceptation. L’e-mail est envoyé de nouveau.',
  'The mail server of the recipient does not accept the mail for now. The mail is sent again.':
    'Le serveur du destinataire n’accepte pas l’e-mail pour le moment. Il est envoyé de nouveau.',
  'The mail server accepted the mail.': 'Le serveur de messagerie a accepté l’e-mail.',
  'Not sent: what the mail carried expired before the mail server accepted it.':
    'Non envoyé : le contenu a expiré avant que le serveur de messagerie ne l’accepte.',
  'Not sent: another mail with a new link or code took its place.':
    'Non envoyé : un autre e-mail avec un nouveau lien ou code l’a remplacé.',
  'Not sent: a newer mail took its place.': 'Non envoyé : un e-mail plus récent l’a remplacé.',
  'Not sent: the client was archived.': 'Non envoyé : le client a été archivé.',
  'Not sent: the person was disabled at the client or removed from it.':
    'Non envoyé : la personne a été désactivée chez le client ou retirée.',
  'Not sent: the tenant was suspended.': 'Non envoyé : votre entreprise a été suspendue.',
  'Not sent: the recipient is no longer an administrator of the client.':
    'Non envoyé : le destinataire n’a plus les droits d’administration du client.',
  'Not sent: the staff user was removed.': 'Non envoyé : le membre de l’équipe a été retiré.',
  'Not sent: the API token was revoked.': 'Non envoyé : le jeton d’API a été révoqué.',
  'Not sent: the invitation no longer exists.': 'Non envoyé : l’invitation n’existe plus.',
  'Not sent: its link was no longer valid. The invitation was accepted or cancelled, or it had expired.':
    'Non envoyé : le lien n’était plus valable. L’invitation a été acceptée ou annulée, ou elle avait expiré.',
  'Not sent: the mail was no longer needed.': 'Non envoyé : l’e-mail n’était plus nécessaire.',
  'The mail was not sent.': 'L’e-mail n’a pas été envoyé.',
  'The mail server of the recipient refused the address.': 'Le serveur du destinataire a refusé l’adresse.',
  'The mail server refused the text of the mail.': 'Le serveur de messagerie a refusé le texte de l’e-mail.',
  'The mail server refused the mail four times.': 'Le serveur de messagerie a refusé l’e-mail quatre fois.',
  'The mail server did not say whether it accepted the mail. The mail may have arrived.':
    'Le serveur de messagerie n’a pas confirmé l’acceptation. L’e-mail est peut-être arrivé.',
  'The mail server did not accept the mail within 72 hours.':
    'Le serveur de messagerie n’a pas accepté l’e-mail dans les 72 heures.',
  'The mail could not be made for this address.': 'Impossible de créer l’e-mail pour cette adresse.',
  'Not sent: an operator discarded the mail, or it could not be processed.':
    'Non envoyé : l’exploitant a écarté l’e-mail, ou il n’a pas pu être traité.',
} satisfies typeof outcomes;
