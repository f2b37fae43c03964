import type { EmailKind, EmailStatus } from '@portico/client';

/** The kinds of mails, as the filter offers them. */
export const MAIL_KINDS = [
  'activation',
  'invitation',
  'invitation_reminder',
  'access_notice',
  'new_admin',
  'reset',
  'password_changed',
  'password_locked',
  'session_ended',
  'new_device',
  'staff_code',
  'staff_invitation',
  'token_created',
  'token_expiring',
] as const satisfies EmailKind[];

/** The statuses of a mail, as the filter offers them. */
export const MAIL_STATUSES = ['queued', 'sent', 'failed', 'suppressed'] as const satisfies EmailStatus[];
