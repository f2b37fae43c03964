import { useQuery } from '@tanstack/preact-query';
import { listInvitations } from '@portico/client';
import type { ComponentChildren } from 'preact';
import { dataOf } from '../../../app/queries.tsx';
import { useTexts } from '../../../app/texts.ts';
import { Card } from '../../../kit/card.tsx';
import { LinkButton } from '../../../kit/link-button.tsx';
import { useMay } from '../permissions.ts';

/** What to do first, if the tenant has never invited a person. Otherwise `orElse`. */
export function FirstSteps({ orElse }: { orElse: ComponentChildren }) {
  const { start } = useTexts('console').overview;
  const mayInvite = useMay('clients:edit');
  const maySet = useMay('settings:read');
  const first = useQuery({ queryKey: ['invitations', 'first'], queryFn: () => dataOf(listInvitations({ query: { limit: 1 } })) });
  if (first.isPending) return null;
  if (!mayInvite || first.data?.data.length !== 0) return <>{orElse}</>;
  return (
    <Card title={start.title}>
      <p>{start.intro}</p>
      <ol class="p-ordered">
        {maySet && <li>{start.branding}</li>}
        <li>{start.client}</li>
        <li>{start.invite}</li>
      </ol>
      <div class="p-actions">
        <LinkButton href="/console/clients">{start.toClients}</LinkButton>
        {maySet && (
          <LinkButton kind="secondary" href="/console/branding">
            {start.toBranding}
          </LinkButton>
        )}
      </div>
    </Card>
  );
}
