// The values of the filters of invitations.
export const INVITATION_STATUSES = ['pending', 'accepted', 'cancelled', 'expired'] as const;
export const DELIVERY_STATUSES = ['queued', 'sent', 'failed', 'suppressed'] as const;
