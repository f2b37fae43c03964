import { useQuery } from '@tanstack/preact-query';
import { endOtherSessions, listSessions } from '@portico/client';
import { useState } from 'preact/hooks';
import { dataOf, queries } from '../../app/queries.tsx';
import { useTexts } from '../../app/texts.ts';
import { Button } from '../../kit/button.tsx';
import { Card } from '../../kit/card.tsx';
import { ConfirmDialog } from '../../kit/confirm-dialog.tsx';
import { Loaded } from '../../kit/loaded.tsx';
import { Notice } from '../../kit/notice.tsx';
import { AccountHead } from '../parts/account-head.tsx';
import { SessionTable } from '../parts/session-table.tsx';

/** The page that lists the sessions of the user, and ends them. */
export default function SessionsPage() {
  const { sessions: texts } = useTexts('portal').account;
  const sessions = useQuery({ queryKey: ['sessions'], queryFn: () => dataOf(listSessions({ query: { limit: 100 } })) });
  const [done, setDone] = useState<string>();
  const [asks, setAsks] = useState(false);
  const showDone = async (sentence: string) => {
    await queries.invalidateQueries({ queryKey: ['sessions'] });
    setDone(sentence);
  };
  return (
    <>
      <AccountHead title={texts.title} />
      <Card>
        <p>{texts.intro}</p>
        {done && <Notice kind="success">{done}</Notice>}
        <Loaded query={sessions}>
          {({ data }) => (
            <>
              <SessionTable sessions={data} onEnded={() => showDone(texts.ended)} />
              {data.length > 1 && (
                <div class="p-actions">
                  <Button onClick={() => setAsks(true)}>{texts.endOthers}</Button>
                </div>
              )}
            </>
          )}
        </Loaded>
      </Card>
      {asks && (
        <ConfirmDialog
          title={texts.confirmTitle}
          confirm={texts.endOthers}
          act={() => endOtherSessions()}
          onDone={() => showDone(texts.othersEnded)}
          onClose={() => setAsks(false)}
        >
          <p>{texts.confirm}</p>
        </ConfirmDialog>
      )}
    </>
  );
}
