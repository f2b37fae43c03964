import { disableStaffMfa, enableStaffMfa, replaceStaffRecoveryCodes, setUpStaffTotp } from '@portico/client';
import type { FactorCalls } from '../../../kit/factors/factors-card.tsx';

/** How a staff user manages their second factors. */
export const FACTOR_CALLS: FactorCalls = {
  setUp: () => setUpStaffTotp(),
  enable: (code) => enableStaffMfa({ body: { code } }),
  replaceCodes: () => replaceStaffRecoveryCodes(),
  disable: () => disableStaffMfa(),
};
