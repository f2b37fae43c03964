import { endSession, type OwnSession, type PorticoError } from '@portico/client';
import { useState } from 'preact/hooks';
import { useTexts } from '../../app/texts.ts';
import { Badge } from '../../kit/badge.tsx';
import { Button } from '../../kit/button.tsx';
import { DateTime } from '../../kit/date-time.tsx';
import { focusContent } from '../../kit/focus-content.ts';
import { ProblemNotice } from '../../kit/problem-notice.tsx';
import { Table } from '../../kit/table.tsx';

/** The sessions of a user, with a button that ends each. */
export function SessionTable({ sessions, onEnded }: { sessions: OwnSession[]; onEnded: () => unknown }) {
  const { sessions: texts } = useTexts('portal').account;
  const [problem, setProblem] = useState<PorticoError>();
  const end = async (session_id: string) => {
    const { error } = await endSession({ path: { session_id } });
    // A session that is not found has ended already.
    if (error && error.code !== 'not_found') return setProblem(error);
    setProblem(undefined);
    await onEnded();
    focusContent();
  };
  return (
    <>
      {problem && <ProblemNotice problem={problem} />}
      <Table
        caption={texts.caption}
        rows={sessions}
        keyOf={({ id }) => id}
        columns={[
          {
            title: texts.device,
            role: 'heading',
            cell: ({ device, current }) => (
              <>
                <span dir="auto">{device}</span> {current && <Badge kind="accent">{texts.current}</Badge>}
              </>
            ),
          },
          { title: texts.network, cell: ({ ip }) => ip ?? '–' },
          { title: texts.since, cell: ({ created_at }) => <DateTime value={created_at} /> },
          { title: texts.lastSeen, cell: ({ last_seen_at }) => <DateTime value={last_seen_at} /> },
          {
            title: texts.actions,
            role: 'actions',
            cell: ({ id, current, device }) =>
              !current && (
                <Button small label={texts.endLabel(device)} onClick={() => end(id)}>
                  {texts.end}
                </Button>
              ),
          },
        ]}
      />
    </>
  );
}
