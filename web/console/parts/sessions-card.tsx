import { endOtherStaffSessions, endStaffSession, listStaffSessions, signOutStaffEverywhere, type OwnSession } from '@portico/client';
import { useState } from 'preact/hooks';
import { signOutBy } from '../../app/http.ts';
import { queries } from '../../app/queries.tsx';
import { useTexts } from '../../app/texts.ts';
import { Button } from '../../kit/button.tsx';
import { Card } from '../../kit/card.tsx';
import { ConfirmDialog } from '../../kit/confirm-dialog.tsx';
import { deviceName, sessionColumns } from '../../kit/session-columns.tsx';
import { ListTable, useList } from './list.tsx';

type Question = { kind: 'one'; session: OwnSession } | { kind: 'others' } | { kind: 'all' };

/** The sessions of the staff user, and how to end them. */
export function SessionsCard() {
  const { account: texts, actions } = useTexts('access');
  const list = useList(['sessions'], (cursor) => listStaffSessions({ query: { cursor } }));
  const [question, setQuestion] = useState<Question>();
  const columns = sessionColumns({ ...texts, actions }, (session) => setQuestion({ kind: 'one', session }));
  const hasOthers = list.data?.some(({ current }) => !current);
  return (
    <Card title={texts.sessions}>
      <p class="p-muted">{texts.sessionsIntro}</p>
      <ListTable list={list} caption={texts.sessions} columns={columns} empty={null} />
      <div class="p-actions">
        {hasOthers && <Button onClick={() => setQuestion({ kind: 'others' })}>{texts.endOthers}</Button>}
        <Button onClick={() => setQuestion({ kind: 'all' })}>{texts.everywhere}</Button>
      </div>
      {question && <EndDialog question={question} onClose={() => setQuestion(undefined)} />}
    </Card>
  );
}

function EndDialog({ question, onClose }: { question: Question; onClose: () => void }) {
  const { account: texts } = useTexts('access');
  const reload = () => queries.invalidateQueries({ queryKey: ['sessions'] });
  if (question.kind === 'one') {
    const { session } = question;
    const act = () => endStaffSession({ path: { session_id: session.id } });
    return (
      <ConfirmDialog title={texts.endTitle} confirm={texts.endConfirm} act={act} onDone={reload} onClose={onClose}>
        <p>{texts.endBody(deviceName(session, texts))}</p>
      </ConfirmDialog>
    );
  }
  if (question.kind === 'others') {
    return (
      <ConfirmDialog title={texts.endOthersTitle} confirm={texts.endOthers} act={() => endOtherStaffSessions()} onDone={reload} onClose={onClose}>
        <p>{texts.endOthersBody}</p>
      </ConfirmDialog>
    );
  }
  const signOut = () => signOutBy(() => signOutStaffEverywhere());
  return (
    <ConfirmDialog title={texts.everywhereTitle} confirm={texts.everywhere} act={signOut} onDone={onClose} onClose={onClose}>
      <p>{texts.everywhereBody}</p>
    </ConfirmDialog>
  );
}
