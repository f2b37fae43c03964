import { getMfaStatus } from '@portico/client';
import { useQuery } from '@tanstack/preact-query';
import { dataOf, queries } from '../../app/queries.tsx';
import { useTexts } from '../../app/texts.ts';
import { FactorsCard } from '../../kit/factors/factors-card.tsx';
import { Late } from '../../kit/late.tsx';
import { Loaded } from '../../kit/loaded.tsx';
import { AccountHead } from '../parts/account-head.tsx';
import { FACTOR_CALLS } from '../parts/factor-calls.ts';
import { useSession } from '../parts/session.tsx';
import { PortalStepUp } from '../parts/step-up.tsx';

/** Loads again what depends on the second factors of the user. */
const reload = () =>
  Promise.all(['mfa', 'session', 'sessions', 'trusted-devices'].map((name) => queries.invalidateQueries({ queryKey: [name] })));

/** The page for the second factors of the user, and the devices that are not asked for them. */
export default function SecondFactorsPage() {
  const { factors: texts } = useTexts('portal').account;
  const { user } = useSession();
  const status = useQuery({ queryKey: ['mfa'], queryFn: () => dataOf(getMfaStatus()) });
  return (
    <PortalStepUp>
      <AccountHead title={texts.title} />
      <Loaded query={status} lines={5}>
        {(data) => (
          <>
            <FactorsCard status={data} account={user.email} calls={FACTOR_CALLS} onChanged={reload} />
            {data.enabled && <Late load={() => import('../parts/trusted-devices.tsx')} texts={['secondStep']} props={{ onChanged: reload }} />}
          </>
        )}
      </Loaded>
    </PortalStepUp>
  );
}
