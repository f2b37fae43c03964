import type { AuditEvent } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { useTexts } from '../../../app/texts.ts';
import { Button } from '../../../kit/button.tsx';
import { CopyButton } from '../../../kit/copy-button.tsx';
import { Fact, Facts } from '../../../kit/facts.tsx';
import { useMay } from '../permissions.ts';
import { clientOf } from './actions.ts';
import type { AuditFilterState } from './audit-filters.tsx';

/** All that the log has about an event, and filters for the events of the same actor, target or client. */
export function EventDetails({ event, filters }: { event: AuditEvent; filters: AuditFilterState }) {
  const { audit: texts } = useTexts('settings');
  const { target, actor, ip, request_id, sequence } = event;
  return (
    <div class="p-event">
      <Facts>
        <Fact name={texts.sequence}>{sequence ?? texts.unsealed}</Fact>
        {request_id && (
          <Fact name={texts.requestId}>
            <Id value={request_id}>
              <CopyButton text={request_id} />
            </Id>
          </Fact>
        )}
        {ip && <Fact name={texts.ip}>{ip}</Fact>}
        {actor.id && (
          <Fact name={texts.actorId}>
            <Id value={actor.id}>
              <Only label={texts.onlyActor} onClick={() => filters.set({ actor: actor.id ?? '' })} />
            </Id>
          </Fact>
        )}
        {target && (
          <Fact name={texts.targetId}>
            <Id value={target.id}>
              <Only label={texts.onlyTarget} onClick={() => filters.set({ target: target.id })} />
            </Id>
          </Fact>
        )}
        <ClientFact id={clientOf(event)} filters={filters} />
        <Fact name={texts.code}>
          <code>{event.action}</code>
        </Fact>
        <Fact name={texts.eventId}>
          <Id value={event.id} />
        </Fact>
        <FurtherFacts details={event.details} />
      </Facts>
    </div>
  );
}

function ClientFact({ id, filters }: { id: string | null; filters: AuditFilterState }) {
  const { audit: texts } = useTexts('settings');
  const mayReadClients = useMay('clients:read');
  if (!id) return null;
  return (
    <Fact name={texts.client}>
      <Id value={id}>
        <Only label={texts.onlyClient} onClick={() => filters.set({ client_id: id })} />
        {mayReadClients && <a href={`/console/clients/${id}`}>{texts.toClient}</a>}
      </Id>
    </Fact>
  );
}

function Id({ value, children }: { value: string; children?: ComponentChildren }) {
  return (
    <span class="p-id">
      <code>{value}</code>
      {children}
    </span>
  );
}

function Only({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <Button small onClick={onClick}>
      {label}
    </Button>
  );
}

/** The facts that depend on the action: names and values for programs, which are not translated. */
function FurtherFacts({ details }: { details: Record<string, unknown> }) {
  const { audit: texts } = useTexts('settings');
  const entries = Object.entries(details);
  if (entries.length === 0) return null;
  return (
    <Fact name={texts.further}>
      <ul class="p-plain-list">
        {entries.map(([name, value]) => (
          <li key={name}>
            <code>
              {name}: {typeof value === 'string' ? value : JSON.stringify(value)}
            </code>
          </li>
        ))}
      </ul>
    </Fact>
  );
}
