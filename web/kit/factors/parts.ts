// The parts of the card of second factors that it loads before the user needs them.
export { DoneNotice } from './done-notice.tsx';
export { FactorSetup } from './factor-setup.tsx';
export { RecoveryCodes } from './recovery-codes.tsx';
