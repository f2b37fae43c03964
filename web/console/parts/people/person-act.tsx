// The acts on a person at a client. Each asks first.
import { removePortalUser, sendPortalUserReset, updatePortalUser, type PorticoError, type PortalUser } from '@portico/client';
import { useTexts, type Bundles } from '../../../app/texts.ts';
import { ConfirmDialog } from '../../../kit/confirm-dialog.tsx';
import type { Result } from '../../../app/call.ts';
import { reloadPeople } from '../changes.ts';
import { useOutcome } from '../outcome.tsx';

/** A person, and the client where they have access. */
export type PersonAtClient = PortalUser & { clientId: string };

export type PersonActName = 'makeAdmin' | 'makeMember' | 'disable' | 'enable' | 'sendReset' | 'remove';

/** What a dialog asks, what it does, and what the page says afterwards. */
interface PersonAct {
  title: string;
  body: string;
  confirm: string;
  kind?: 'primary';
  outcome: string;
  act: () => Promise<Result<unknown>>;
}

/** Returns the acts that are possible for a person. */
export function actsFor({ status, role }: PortalUser): PersonActName[] {
  if (status === 'invited') return ['remove'];
  if (status === 'disabled') return ['enable', 'remove'];
  return ['sendReset', role === 'admin' ? 'makeMember' : 'makeAdmin', 'disable', 'remove'];
}

/** The dialog that asks before an act, and carries it out. */
export function PersonActDialog({ name, person, onClose }: { name: PersonActName; person: PersonAtClient; onClose: () => void }) {
  const { people, clientArchived } = useTexts('console');
  const say = useOutcome();
  const { body, outcome, ...dialog } = describeAct(name, person, people);
  const describe = ({ code }: PorticoError) => {
    if (code === 'client_suspended') return clientArchived;
    return code === 'conflict' && name === 'sendReset' ? people.resetConflict : undefined;
  };
  const done = async () => {
    say(outcome);
    await reloadPeople();
  };
  return (
    <ConfirmDialog {...dialog} describe={describe} onDone={done} onClose={onClose}>
      <p>{body}</p>
    </ConfirmDialog>
  );
}

function describeAct(name: PersonActName, person: PersonAtClient, texts: Bundles['console']['people']): PersonAct {
  const path = { client_id: person.clientId, portal_user_id: person.id };
  const update = (body: { role?: 'admin' | 'member'; status?: 'active' | 'disabled' }) => () => updatePortalUser({ path, body });
  switch (name) {
    case 'makeAdmin':
    case 'makeMember':
      return {
        title: texts.roleTitle(person.name),
        body: name === 'makeAdmin' ? texts.roleAdminBody : texts.roleMemberBody,
        confirm: texts[name],
        kind: 'primary',
        outcome: texts.roleChanged(person.name),
        act: update({ role: name === 'makeAdmin' ? 'admin' : 'member' }),
      };
    case 'disable':
      return {
        title: texts.disableTitle(person.name),
        body: texts.disableBody,
        confirm: texts.disableConfirm,
        outcome: texts.disabled(person.name),
        act: update({ status: 'disabled' }),
      };
    case 'enable':
      return {
        title: texts.enableTitle(person.name),
        body: texts.enableBody,
        confirm: texts.enableConfirm,
        kind: 'primary',
        outcome: texts.enabled(person.name),
        act: update({ status: 'active' }),
      };
    case 'sendReset':
      return {
        title: texts.sendResetTitle(person.name),
        body: texts.sendResetBody(person.email),
        confirm: texts.sendResetConfirm,
        kind: 'primary',
        outcome: texts.resetSent(person.email),
        act: () => sendPortalUserReset({ path }),
      };
    case 'remove':
      return {
        title: texts.removeTitle(person.name),
        body: texts.removeBody,
        confirm: texts.removeConfirm,
        outcome: texts.removed(person.name),
        act: () => removePortalUser({ path }),
      };
  }
}
