import { useQuery } from '@tanstack/preact-query';
import { listStaff, type AuditEvent, type AuditOutcome } from '@portico/client';
import { dataOf } from '../../../app/queries.tsx';
import { useLocale, useTexts } from '../../../app/texts.ts';
import { valuesOf } from '../../../app/values.ts';
import { DateRangeFilter, FilterBar, SelectFilter, ValueFilter } from '../../../kit/filters.tsx';
import type { Choice } from '../../../kit/select-field.tsx';
import { choicesOf } from '../choices.ts';
import { ID, type Filters } from '../filters.ts';
import { useMay } from '../permissions.ts';
import { actorName } from './actions.ts';
import { ClientFilter } from './client-filter.tsx';

const OUTCOMES = valuesOf<AuditOutcome>({ success: true, failure: true });

/** The filters of the audit log. */
export const FILTERS = {
  actor: ID,
  action: /^[a-z_]+\.[a-z_]+$/,
  target: ID,
  client_id: ID,
  outcome: OUTCOMES,
  from: 'date',
  to: 'date',
} as const;

/** The filters of the audit log, and how to change them. */
export type AuditFilterState = Filters<typeof FILTERS>;

/** The filters above the audit log. `events` are the events that are shown, whose actors can be chosen. */
export function AuditFilters({ filters: { values, isFiltered, set, clear }, events }: { filters: AuditFilterState; events: AuditEvent[] }) {
  const { audit: texts } = useTexts('settings');
  const actors = useActors(events, values.actor);
  const mayReadClients = useMay('clients:read');
  return (
    <FilterBar onClear={isFiltered ? clear : undefined}>
      <SelectFilter label={texts.actor} choices={actors} value={values.actor} onChange={(actor) => set({ actor })} />
      <SelectFilter label={texts.action} choices={useActions(values.action)} value={values.action} onChange={(action) => set({ action })} />
      {mayReadClients && <ClientFilter value={values.client_id} onChange={(client_id) => set({ client_id })} />}
      <SelectFilter
        label={texts.outcome}
        choices={choicesOf(texts.outcomes)}
        value={values.outcome}
        onChange={(outcome) => set({ outcome })}
      />
      <DateRangeFilter from={values.from} to={values.to} onChange={set} />
      <ValueFilter
        label={texts.targetId}
        hint={texts.idHint}
        value={values.target}
        pattern={ID}
        problem={texts.idInvalid}
        onChange={(target) => set({ target })}
      />
    </FilterBar>
  );
}

/** Returns the known actions by their words, and the chosen one if it is not known. */
function useActions(chosen: string | undefined): Choice[] {
  const { audit: texts } = useTexts('settings');
  const locale = useLocale();
  const known = choicesOf(texts.actions).sort((a, b) => a.label.localeCompare(b.label, locale));
  return withChosen(known, chosen);
}

/** Returns the staff, the actors of the events that are shown, and the chosen one. */
function useActors(events: AuditEvent[], chosen: string | undefined): Choice[] {
  const { audit: texts } = useTexts('settings');
  const locale = useLocale();
  const staff = useQuery({
    queryKey: ['staff', 'actors'],
    queryFn: () => dataOf(listStaff({ query: { limit: 100 } })),
    enabled: useMay('staff:read'),
  });
  const names = new Map(staff.data?.data.map(({ id, name }) => [id, name]));
  for (const { actor } of events) if (actor.id && !names.has(actor.id)) names.set(actor.id, actorName(actor, texts));
  const sorted = [...names].map(([value, label]) => ({ value, label })).sort((a, b) => a.label.localeCompare(b.label, locale));
  return withChosen(sorted, chosen);
}

const withChosen = (choices: Choice[], chosen: string | undefined): Choice[] =>
  !chosen || choices.some(({ value }) => value === chosen) ? choices : [{ value: chosen, label: chosen }, ...choices];
