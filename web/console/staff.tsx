import { listStaff, type StaffMember } from '@portico/client';
import { useState } from 'preact/hooks';
import { useTexts } from '../app/texts.ts';
import { Badge } from '../kit/badge.tsx';
import { Button } from '../kit/button.tsx';
import { Card } from '../kit/card.tsx';
import { DateTime } from '../kit/date-time.tsx';
import { PageHead } from '../kit/page-head.tsx';
import { PersonCell } from '../kit/person-cell.tsx';
import { RowMenu } from '../kit/row-menu.tsx';
import type { Column } from '../kit/table.tsx';
import { ListTable, useList } from './parts/list.tsx';
import { Outcomes } from './parts/outcome.tsx';
import { useMay } from './parts/permissions.ts';
import { RolesCard } from './parts/staff/role-permissions.tsx';
import { useSession } from './parts/session.tsx';
import { EditStaff, InviteStaff, RemoveStaff } from './parts/staff/staff-dialogs.tsx';
import { StaffStepUp } from './parts/codes/step-up.tsx';

/** The people and programs of the company, and their roles. */
export default function StaffPage() {
  const { staff: texts } = useTexts('access');
  const [maySee, mayEdit] = [useMay('staff:read'), useMay('staff:edit')];
  const [isInviting, setInviting] = useState(false);
  return (
    <StaffStepUp>
      <PageHead title={texts.title}>
        {mayEdit && (
          <Button kind="primary" onClick={() => setInviting(true)}>
            {texts.invite}
          </Button>
        )}
      </PageHead>
      <Outcomes>
        <Card>
          <StaffTable mayEdit={mayEdit} />
        </Card>
        {maySee && <RolesCard />}
        {isInviting && <InviteStaff onClose={() => setInviting(false)} />}
      </Outcomes>
    </StaffStepUp>
  );
}

function StaffTable({ mayEdit }: { mayEdit: boolean }) {
  const { staff: texts } = useTexts('access');
  const list = useList(['staff'], (cursor) => listStaff({ query: { cursor } }));
  const [shown, setShown] = useState<{ dialog: 'edit' | 'remove'; member: StaffMember }>();
  const columns = useColumns((dialog, member) => setShown({ dialog, member }));
  const close = () => setShown(undefined);
  return (
    <>
      <ListTable list={list} caption={texts.list} columns={columns.filter(({ role }) => mayEdit || role !== 'actions')} empty={null} />
      {shown?.dialog === 'edit' && <EditStaff member={shown.member} onClose={close} />}
      {shown?.dialog === 'remove' && <RemoveStaff member={shown.member} onClose={close} />}
    </>
  );
}

function useColumns(open: (dialog: 'edit' | 'remove', member: StaffMember) => void): Column<StaffMember>[] {
  const { staff: texts, ...common } = useTexts('access');
  const { staffRoles } = useTexts('console');
  return [
    { title: common.name, role: 'heading', cell: (member) => <Name member={member} /> },
    { title: texts.kind, cell: ({ kind }) => texts.kinds[kind] },
    { title: common.role, cell: ({ role }) => staffRoles[role] },
    { title: texts.lastSignIn, cell: (member) => <LastSignIn member={member} /> },
    { title: common.actions, role: 'actions', cell: (member) => <Actions member={member} open={open} /> },
  ];
}

function Name({ member: { id, name, email, status } }: { member: StaffMember }) {
  const { staff: texts } = useTexts('access');
  const { user } = useSession();
  return (
    <PersonCell name={name} email={email}>
      {id === user.id && <Badge kind="accent">{texts.you}</Badge>}
      {status === 'disabled' && <Badge kind="warning">{texts.disabled}</Badge>}
    </PersonCell>
  );
}

function LastSignIn({ member: { kind, last_sign_in_at } }: { member: StaffMember }) {
  const { never } = useTexts('access');
  if (kind === 'service') return <>–</>;
  return last_sign_in_at ? <DateTime value={last_sign_in_at} /> : <>{never}</>;
}

function Actions({ member, open }: { member: StaffMember; open: (dialog: 'edit' | 'remove', member: StaffMember) => void }) {
  const { staff: texts, serviceAccounts } = useTexts('access');
  const { actionsFor } = useTexts('console');
  if (member.kind === 'service') {
    return <a href="/console/service-accounts">{serviceAccounts.title}</a>;
  }
  return (
    <RowMenu
      label={actionsFor(member.name)}
      actions={[
        { label: texts.edit, onClick: () => open('edit', member) },
        { label: texts.remove, onClick: () => open('remove', member) },
      ]}
    />
  );
}
