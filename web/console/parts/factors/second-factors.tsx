import { getStaffMfaStatus } from '@portico/client';
import { useQuery } from '@tanstack/preact-query';
import { dataOf, queries } from '../../../app/queries.tsx';
import { useTexts } from '../../../app/texts.ts';
import { Card } from '../../../kit/card.tsx';
import { FactorsCard } from '../../../kit/factors/factors-card.tsx';
import { Loaded } from '../../../kit/loaded.tsx';
import { FACTOR_CALLS } from './factor-calls.ts';
import { useSession } from '../session.tsx';

/** Loads again what depends on the second factors of the user. */
const reload = () => Promise.all(['mfa', 'session', 'sessions'].map((name) => queries.invalidateQueries({ queryKey: [name] })));

/** The second factors of the staff user, and how to change them. */
export function SecondFactors() {
  const { card: texts } = useTexts('factors');
  const { user } = useSession();
  const status = useQuery({ queryKey: ['mfa'], queryFn: () => dataOf(getStaffMfaStatus()) });
  if (status.data) return <FactorsCard status={status.data} account={user.email} calls={FACTOR_CALLS} onChanged={reload} />;
  return (
    <Card title={texts.title}>
      <Loaded query={status} lines={5}>
        {() => null}
      </Loaded>
    </Card>
  );
}
