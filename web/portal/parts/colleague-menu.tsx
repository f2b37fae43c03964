import { removeColleague, updateColleague, type PortalUser, type UpdatePortalUser } from '@portico/client';
import { useState } from 'preact/hooks';
import { useTexts, type Bundles } from '../../app/texts.ts';
import { ConfirmDialog } from '../../kit/confirm-dialog.tsx';
import type { Result } from '../../app/call.ts';
import { RowMenu } from '../../kit/row-menu.tsx';

interface ColleagueMenuProps {
  person: PortalUser;
  onDone: (sentence: string) => unknown;
}

/** What an administrator can do with a colleague. */
interface Action {
  label: string;
  kind: 'primary' | 'danger';
  /** What the dialog says before the act. */
  question?: string;
  act: () => Promise<Result<unknown>>;
  done: string;
}

/** The menu of a colleague. Each action asks before it acts. */
export function ColleagueMenu({ person, onDone }: ColleagueMenuProps) {
  const { colleagues: texts } = useTexts('portal');
  const [action, setAction] = useState<Action>();
  return (
    <>
      <RowMenu
        label={texts.actionsFor(person.name)}
        actions={actionsFor(person, texts).map((each) => ({ label: each.label, onClick: () => setAction(each) }))}
      />
      {action && (
        <ConfirmDialog
          title={action.label}
          confirm={action.label}
          kind={action.kind}
          act={action.act}
          describe={({ code }) => (code === 'last_admin' ? texts.lastAdmin : undefined)}
          onDone={() => onDone(action.done)}
          onClose={() => setAction(undefined)}
        >
          <p dir="auto">
            <strong>{person.name}</strong> ({person.email})
          </p>
          {action.question && <p>{action.question}</p>}
        </ConfirmDialog>
      )}
    </>
  );
}

function actionsFor({ id, name, role, status }: PortalUser, texts: Bundles['portal']['colleagues']): Action[] {
  const path = { colleague_id: id };
  const update = (body: UpdatePortalUser) => () => updateColleague({ path, body });
  const otherRole = role === 'admin' ? 'member' : 'admin';
  const changeRole: Action = {
    label: texts.changeRole[otherRole],
    kind: 'primary',
    act: update({ role: otherRole }),
    done: texts.roleChanged(name),
  };
  const disable: Action = {
    label: texts.disable,
    kind: 'danger',
    question: texts.confirmDisable(name),
    act: update({ status: 'disabled' }),
    done: texts.disabled(name),
  };
  const enable: Action = { label: texts.enable, kind: 'primary', act: update({ status: 'active' }), done: texts.enabled(name) };
  const remove: Action = {
    label: texts.remove,
    kind: 'danger',
    question: texts.confirmRemove(name),
    act: () => removeColleague({ path }),
    done: texts.removed(name),
  };
  const access = { invited: [], active: [disable], disabled: [enable] }[status];
  return [changeRole, ...access, remove];
}
