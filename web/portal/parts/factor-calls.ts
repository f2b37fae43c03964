import { disableMfa, enableMfa, replaceRecoveryCodes, setUpTotp } from '@portico/client';
import type { FactorCalls } from '../../kit/factors/factors-card.tsx';

/** How a portal user manages their second factors. */
export const FACTOR_CALLS: FactorCalls = {
  setUp: () => setUpTotp(),
  enable: (code) => enableMfa({ body: { code } }),
  replaceCodes: () => replaceRecoveryCodes(),
  disable: () => disableMfa(),
};
