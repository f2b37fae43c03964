import type { BulkInvitationResult, BulkRowStatus } from '@portico/client';
import { useTexts } from '../../../app/texts.ts';
import { valuesOf } from '../../../app/values.ts';

const STATUSES = valuesOf<BulkRowStatus>({ invited: true, exists: true, duplicate: true, limited: true, invalid: true });

/** How many rows have each outcome. Outcomes without rows are left out. */
export function Counts({ counts }: { counts: BulkInvitationResult['counts'] }) {
  const { bulk } = useTexts('console');
  return (
    <ul class="p-counts">
      {STATUSES.filter((status) => status === 'invited' || counts[status] > 0).map((status) => (
        <li key={status} data-status={status}>
          {bulk.counts[status](counts[status])}
        </li>
      ))}
    </ul>
  );
}
