// Words for what the audit log has as codes. A newer server may have others, which are shown as they are.
import type { AuditActor, AuditEvent } from '@portico/client';
import type { Bundles } from '../../../app/texts.ts';

type Texts = Bundles['settings']['audit'];

/** Returns the action of an event in words, or `undefined` for an unknown one. */
export const actionInWords = (action: string, texts: Texts): string | undefined =>
  (texts.actions as Record<string, string>)[action];

/** Returns the kind of a target in words, or `undefined` for an unknown one. */
export const targetInWords = (kind: string, texts: Texts): string | undefined =>
  (texts.targets as Record<string, string>)[kind];

/** Returns the name of an actor. */
export function actorName({ realm, name }: AuditActor, texts: Texts): string {
  if (realm === 'system') return name ?? texts.system;
  if (realm === 'anonymous') return name ?? texts.anonymous;
  return name ?? texts.erased;
}

/** Returns the id of the client that an event concerns, also if it only names it as its target. */
export const clientOf = ({ client_id, target }: AuditEvent): string | null =>
  client_id ?? (target?.kind === 'client' ? target.id : null);
