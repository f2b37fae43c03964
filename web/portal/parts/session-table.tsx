import { endSession, type OwnSession, type PorticoError } from '@portico/client';
import { useState } from 'preact/hooks';
import { useTexts } from '../../app/texts.ts';
import { focusContent } from '../../kit/focus-content.ts';
import { ProblemNotice } from '../../kit/problem-notice.tsx';
import { sessionColumns } from '../../kit/session-columns.tsx';
import { Table } from '../../kit/table.tsx';

/** The sessions of a user, with a button that ends each. */
export function SessionTable({ sessions, onEnded }: { sessions: OwnSession[]; onEnded: () => unknown }) {
  const { sessions: texts } = useTexts('portal').account;
  const [problem, setProblem] = useState<PorticoError>();
  const end = async ({ id: session_id }: OwnSession) => {
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
      <Table caption={texts.caption} rows={sessions} keyOf={({ id }) => id} columns={sessionColumns(texts, end)} />
    </>
  );
}
