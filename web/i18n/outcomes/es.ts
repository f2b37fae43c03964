import type outcomes from './en.ts';

export default {
  'The mail waits to be sent.': 'El correo espera a ser enviado.',
  'The mail waits for the mail server.': 'El correo espera al servidor de correo.',
  'The mail server did not say whether it accepted the mail. The mail is sent again.':
    'El servidor de correo no confirmó si aceptó el correo. Se envía de nuevo.',
  'The mail server of the recipient does not accept the mail for now. The mail is sent again.':
    'El servidor del destinatario no acepta el correo por ahora. Se envía de nuevo.',
  'The mail server accepted the mail.': 'El servidor de correo aceptó el correo.',
  'Not sent: what the mail carried expired before the mail server accepted it.':
    'No enviado: el contenido caducó antes de que el servidor de correo lo aceptara.',
  'Not sent: another mail with a new link or code took its place.':
    'No enviado: otro correo con un enlace o código nuevo lo sustituyó.',
  'Not sent: a newer mail took its place.': 'No enviado: un correo más reciente lo sustituyó.',
  'Not sent: the client was archived.': 'No enviado: el cliente se archivó.',
  'Not sent: the person was disabled at the client or removed from it.':
    'No enviado: la persona fue desactivada en el cliente o quitada de él.',
  'Not sent: the tenant was suspended.': 'No enviado: su empresa fue suspendida.',
  'Not sent: the recipient is no longer an administrator of the client.':
    'No enviado: el destinatario ya no tiene permisos de administración del cliente.',
  'Not sent: the staff user was removed.': 'No enviado: el miembro del equipo fue quitado.',
  'Not sent: the API token was revoked.': 'No enviado: el token de API fue revocado.',
  'Not sent: the invitation no longer exists.': 'No enviado: la invitación ya no existe.',
  'Not sent: its link was no longer valid. The invitation was accepted or cancelled, or it had expired.':
    'No enviado: el enlace ya no era válido. La invitación se aceptó, se canceló o había caducado.',
  'Not sent: the mail was no longer needed.': 'No enviado: el correo ya no era necesario.',
  'The mail was not sent.': 'El correo no se envió.',
  'The mail server of the recipient refused the address.': 'El servidor del destinatario rechazó la dirección.',
  'The mail server refused the text of the mail.': 'El servidor de correo rechazó el texto del correo.',
  'The mail server refused the mail four times.': 'El servidor de correo rechazó el correo cuatro veces.',
  'The mail server did not say whether it accepted the mail. The mail may have arrived.':
    'El servidor de correo no confirmó si aceptó el correo. Es posible que haya llegado.',
  'The mail server did not accept the mail within 72 hours.': 'El servidor de correo no aceptó el correo en 72 horas.',
  'The mail could not be made for this address.': 'No se pudo crear el correo para esta dirección.',
  'Not sent: an operator discarded the mail, or it could not be processed.':
    'No enviado: el operador descartó el correo o no se pudo procesar.',
} satisfies typeof outcomes;
