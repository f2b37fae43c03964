import { cancelColleagueInvitation, resendColleagueInvitation, type Invitation, type PorticoError } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useTexts } from '../../app/texts.ts';
import { Button } from '../../kit/button.tsx';
import { Card } from '../../kit/card.tsx';
import { ConfirmDialog } from '../../kit/confirm-dialog.tsx';
import { LoadMore } from '../../kit/load-more.tsx';
import { Loaded } from '../../kit/loaded.tsx';
import { ProblemNotice } from '../../kit/problem-notice.tsx';
import { useInvitations } from './colleague-data.ts';
import { InvitationTable } from './invitation-table.tsx';

interface PendingInvitationsProps {
  onDone: (sentence: string) => unknown;
}

/** The invitations that are not accepted yet, also expired ones, with buttons to send them again and to cancel them. */
export function PendingInvitations({ onDone }: PendingInvitationsProps) {
  const { colleagues: texts } = useTexts('portal');
  const [toCancel, setToCancel] = useState<Invitation>();
  const [problem, setProblem] = useState<PorticoError>();
  const resend = async ({ id, email }: Invitation) => {
    const { error } = await resendColleagueInvitation({ path: { invitation_id: id } });
    setProblem(error);
    if (!error) await onDone(texts.resent(email));
  };
  return (
    <Card title={texts.invitations}>
      {problem && <ProblemNotice problem={problem} />}
      <InvitationList actions={(each) => <Actions invitation={each} onResend={resend} onCancel={setToCancel} />} />
      {toCancel && (
        <ConfirmDialog
          title={texts.cancel}
          confirm={texts.cancel}
          act={() => cancelColleagueInvitation({ path: { invitation_id: toCancel.id } })}
          onDone={() => onDone(texts.cancelled(toCancel.email))}
          onClose={() => setToCancel(undefined)}
        >
          <p>{texts.confirmCancel(toCancel.email)}</p>
        </ConfirmDialog>
      )}
    </Card>
  );
}

/** The invitations that can be accepted, page by page, and then those that have expired. */
function InvitationList({ actions }: { actions: (invitation: Invitation) => ComponentChildren }) {
  const { colleagues: texts } = useTexts('portal');
  const pending = useInvitations('pending');
  const expired = useInvitations('expired');
  return (
    <Loaded query={pending}>
      {(first) => (
        <Loaded query={expired}>
          {(second) => {
            const pages = pending.hasNextPage ? first.pages : [...first.pages, ...second.pages];
            const invitations = pages.flatMap(({ data }) => data);
            if (invitations.length === 0) return <p class="p-muted">{texts.noInvitations}</p>;
            return (
              <>
                <InvitationTable invitations={invitations} actions={actions} />
                <LoadMore query={pending.hasNextPage || pending.error ? pending : expired} />
              </>
            );
          }}
        </Loaded>
      )}
    </Loaded>
  );
}

interface ActionsProps {
  invitation: Invitation;
  onResend: (invitation: Invitation) => unknown;
  onCancel: (invitation: Invitation) => void;
}

function Actions({ invitation, onResend, onCancel }: ActionsProps) {
  const { colleagues: texts } = useTexts('portal');
  return (
    <div class="p-actions">
      <Button small label={texts.resendLabel(invitation.email)} onClick={() => onResend(invitation)}>
        {texts.resend}
      </Button>
      <Button small kind="plain" label={texts.cancelLabel(invitation.email)} onClick={() => onCancel(invitation)}>
        {texts.cancelShort}
      </Button>
    </div>
  );
}
