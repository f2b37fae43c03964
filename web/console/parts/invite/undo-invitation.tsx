import { useState } from 'preact/hooks';
import { useTexts } from '../../../app/texts.ts';
import { Button } from '../../../kit/button.tsx';
import { CancelDialog, type InvitationToClient } from '../invitations/invitation-act.tsx';

/** The button that cancels an invitation that was just sent. */
export function UndoInvitation({ invitation }: { invitation: InvitationToClient }) {
  const { invite } = useTexts('console');
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <Button small onClick={() => setAsking(true)}>
        {invite.undo}
      </Button>
      {isAsking && <CancelDialog invitation={invitation} onClose={() => setAsking(false)} />}
    </>
  );
}
