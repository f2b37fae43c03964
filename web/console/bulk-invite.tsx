import type { BulkInvitationResult, Client, PorticoError } from '@portico/client';
import { useState } from 'preact/hooks';
import type { PageProps } from '../start/pages.tsx';
import { useTexts } from '../app/texts.ts';
import { EmptyState } from '../kit/empty-state.tsx';
import { Notice } from '../kit/notice.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { ProblemNotice } from '../kit/problem-notice.tsx';
import { BackLink } from './parts/back-link.tsx';
import { CheckTable } from './parts/bulk/check-table.tsx';
import { ChooseTable } from './parts/bulk/choose-table.tsx';
import { inviteTable } from './parts/bulk/invite-table.ts';
import { useTableProblem } from './parts/bulk/row-texts.ts';
import { readTable, textOfFile, type TableData } from './parts/bulk/table.ts';
import { WithClient } from './parts/clients/with-client.tsx';
import { useMay } from './parts/permissions.ts';

/** The size that the server accepts. */
const MAX_BYTES = 2 * 1024 * 1024;

/** Inviting many people to a client with a table: choose it, check it, send it. */
export default function BulkInvitePage({ params: { client: id = '' } }: PageProps) {
  const { bulk } = useTexts('console');
  const { forbidden } = useTexts('signedIn');
  const mayEdit = useMay('clients:edit');
  if (!mayEdit) {
    return (
      <>
        <PageHead title={bulk.title} />
        <EmptyState title={forbidden.title}>{forbidden.body}</EmptyState>
      </>
    );
  }
  return (
    <WithClient id={id}>
      {(client) => (
        <>
          <BackLink href={`/console/clients/${id}`}>{client.name}</BackLink>
          <PageHead title={bulk.title} />
          <Steps client={client} />
        </>
      )}
    </WithClient>
  );
}

interface Checked {
  table: TableData;
  trial: BulkInvitationResult;
}

function Steps({ client }: { client: Client }) {
  const { bulk, client: texts } = useTexts('console');
  const describe = useTableProblem();
  const [isChecking, setChecking] = useState(false);
  const [problem, setProblem] = useState<PorticoError>();
  const [isTooLarge, setTooLarge] = useState(false);
  const [checked, setChecked] = useState<Checked>();

  const check = async (file: Blob) => {
    setProblem(undefined);
    setTooLarge(file.size > MAX_BYTES);
    if (file.size > MAX_BYTES) return;
    setChecking(true);
    const { data, error } = await inviteTable(client.id, file, { isTrial: true });
    setProblem(error);
    if (data) setChecked({ trial: data, table: readTable(await textOfFile(file)) });
    setChecking(false);
  };
  if (client.status === 'archived') return <Notice kind="warning">{texts.isArchived}</Notice>;
  const chooseAnother = () => {
    setChecked(undefined);
    document.querySelector('h1')?.focus();
  };
  if (checked) return <CheckTable {...checked} clientId={client.id} onAnother={chooseAnother} />;
  return (
    <>
      <p dir="auto">{bulk.intro(client.name)}</p>
      {problem && <ProblemNotice problem={problem} sentence={describe(problem)} />}
      {isTooLarge && <Notice kind="danger">{bulk.problems.body_too_large}</Notice>}
      <ChooseTable isChecking={isChecking} onTable={check} />
    </>
  );
}
