import type { InvitedPortalUser } from '@portico/client';
import { useState } from 'preact/hooks';
import { useTexts } from '../../../app/texts.ts';
import { Button } from '../../../kit/button.tsx';
import { CancelDialog } from '../invitations/invitation-act.tsx';

/** Says what an invitation has sent, and offers to cancel it while the person has not joined. */
export function Invited({ sent, clientId }: { sent: InvitedPortalUser; clientId: string }) {
  const { invite } = useTexts('console');
  const [isCancelling, setCancelling] = useState(false);
  const { invitation, invite_mode: mode } = sent;
  return (
    <>
      <p>{invite.after[mode](invitation.email)}</p>
      {mode === 'setup' && (
        <div class="p-actions">
          <Button small onClick={() => setCancelling(true)}>
            {invite.undo}
          </Button>
        </div>
      )}
      {isCancelling && <CancelDialog invitation={{ ...invitation, clientId }} onClose={() => setCancelling(false)} />}
    </>
  );
}
