import type { AuditEvent } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useFormatLocale } from '../../../app/format-locale.ts';
import { useTexts } from '../../../app/texts.ts';
import { Badge } from '../../../kit/badge.tsx';
import { DateTime, formatTime } from '../../../kit/date-time.tsx';
import type { Column } from '../../../kit/table.tsx';
import { ListTable, type List } from '../list.tsx';
import { actionInWords, actorName, targetInWords } from './actions.ts';
import type { AuditFilterState } from './audit-filters.tsx';
import { EventDetails } from './event-details.tsx';

interface AuditTableProps {
  list: List<AuditEvent>;
  filters: AuditFilterState;
  empty: ComponentChildren;
}

/** A table of events. A button of each row shows its details. */
export function AuditTable({ list, filters, empty }: AuditTableProps) {
  const { audit: texts } = useTexts('settings');
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const toggle = (id: string) => {
    const next = new Set(opened);
    if (!next.delete(id)) next.add(id);
    setOpened(next);
  };
  const columns: Column<AuditEvent>[] = [
    { title: texts.action, role: 'heading', cell: ({ action }) => <Action action={action} /> },
    { title: texts.actor, cell: ({ actor }) => <Actor actor={actor} /> },
    { title: texts.target, cell: ({ target }) => <Target target={target} /> },
    { title: texts.outcome, cell: ({ outcome }) => <Outcome outcome={outcome} /> },
    { title: texts.at, cell: ({ at }) => <DateTime value={at} /> },
    {
      title: texts.details,
      role: 'actions',
      cell: (event) => <DetailsButton event={event} isOpen={opened.has(event.id)} onClick={() => toggle(event.id)} />,
    },
  ];
  return (
    <ListTable
      list={list}
      caption={texts.title}
      columns={columns}
      filters={filters}
      empty={empty}
      below={(event) => opened.has(event.id) && <EventDetails event={event} filters={filters} />}
    />
  );
}

function Action({ action }: { action: string }) {
  const { audit: texts } = useTexts('settings');
  return <>{actionInWords(action, texts) ?? <code>{action}</code>}</>;
}

function Actor({ actor }: { actor: AuditEvent['actor'] }) {
  const { audit: texts } = useTexts('settings');
  return (
    <span class="p-cell">
      <bdi>{actorName(actor, texts)}</bdi>
      <span class="p-muted p-small">{texts.realms[actor.realm]}</span>
    </span>
  );
}

function Target({ target }: { target: AuditEvent['target'] }) {
  const { audit: texts } = useTexts('settings');
  if (!target) return <>–</>;
  return <>{targetInWords(target.kind, texts) ?? <code>{target.kind}</code>}</>;
}

function Outcome({ outcome }: { outcome: AuditEvent['outcome'] }) {
  const { audit: texts } = useTexts('settings');
  return <Badge kind={outcome === 'failure' ? 'danger' : 'neutral'}>{texts.outcomes[outcome]}</Badge>;
}

function DetailsButton({ event, isOpen, onClick }: { event: AuditEvent; isOpen: boolean; onClick: () => void }) {
  const { audit: texts } = useTexts('settings');
  const locale = useFormatLocale();
  const name = actionInWords(event.action, texts) ?? event.action;
  return (
    <button
      type="button"
      class="p-disclosure"
      aria-expanded={isOpen}
      aria-label={texts.detailsOf(name, formatTime(event.at, locale))}
      onClick={onClick}
    >
      {texts.details}
    </button>
  );
}
