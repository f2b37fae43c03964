import type { EmailKind, EmailStatus } from '@portico/client';
import { valuesOf } from '../../../app/values.ts';

/** The kinds of mails, as the filter offers them. */
export const MAIL_KINDS = valuesOf<EmailKind>({
  activation: true,
  invitation: true,
  invitation_reminder: true,
  access_notice: true,
  new_admin: true,
  reset: true,
  password_changed: true,
  password_locked: true,
  session_ended: true,
  new_device: true,
  staff_code: true,
  portal_code: true,
  enrol_code: true,
  staff_invitation: true,
  token_created: true,
  token_expiring: true,
  security_notice: true,
});

/** The statuses of a mail, as the filter offers them. */
export const MAIL_STATUSES = valuesOf<EmailStatus>({ queued: true, sent: true, failed: true, suppressed: true });
