import { useState } from 'preact/hooks';
import { useTexts } from '../app/texts.ts';
import { Button } from '../kit/button.tsx';
import { Card } from '../kit/card.tsx';
import { Notice } from '../kit/notice.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { refreshColleagues } from './parts/colleague-data.ts';
import { ColleagueList } from './parts/colleague-list.tsx';
import { InviteDialog } from './parts/invite-dialog.tsx';
import { PendingInvitations } from './parts/pending-invitations.tsx';
import { useSession } from './parts/session.tsx';

/** The page on which an administrator of a client manages its people and their invitations. */
export default function ColleaguesPage() {
  const { colleagues: texts } = useTexts('portal');
  const { forbidden } = useTexts('signedIn');
  const { client } = useSession();
  const [invites, setInvites] = useState(false);
  const [done, setDone] = useState<string>();
  const showDone = async (sentence: string) => {
    await refreshColleagues();
    setDone(sentence);
  };
  if (client?.role !== 'admin') {
    return (
      <>
        <PageHead title={forbidden.title} />
        <Card>
          <p>{forbidden.body}</p>
        </Card>
      </>
    );
  }
  return (
    <>
      <PageHead title={texts.title}>
        <Button kind="primary" onClick={() => setInvites(true)}>
          {texts.invite}
        </Button>
      </PageHead>
      {done && (
        <Notice kind="success" key={done}>
          {done}
        </Notice>
      )}
      <Card title={texts.people}>
        <ColleagueList onDone={showDone} />
      </Card>
      <PendingInvitations onDone={showDone} />
      {invites && <InviteDialog onDone={showDone} onClose={() => setInvites(false)} />}
    </>
  );
}
