import { formats } from '../formats.ts';

const { plural } = formats('en');

/** The texts of the pages on which users manage their second factors. */
export default {
  card: {
    title: 'Second factors',
    intro: 'With a second factor, a sign-in also asks for a code of an app on your phone. So your account stays safe even if another person learns your password or reads your mail.',
    status: 'Status',
    on: 'On',
    off: 'Off',
    requiredFrom: (date: string) => `The company requires a second factor from ${date} on.`,
    required: 'The company requires a second factor, so it cannot be turned off.',
    app: 'Authenticator app',
    hasApp: 'Set up',
    noApp: 'Not set up',
    codes: 'Recovery codes',
    codesLeft: (count: number) => plural(count, { one: '# is left', other: '# are left' }),
    codesLow: 'Only a few recovery codes are left. Make new ones before you need them.',
    codesNone: 'No recovery code is left. Without one, you cannot sign in if you lose your phone. Make new ones.',
    codesTitle: 'Store your recovery codes',
    setUp: 'Set up authenticator app',
    replace: 'Replace authenticator app',
    newCodes: 'Make new codes',
    newCodesTitle: 'Make new recovery codes?',
    newCodesBody: 'The earlier recovery codes stop working at once.',
    turnOff: 'Turn off',
    turnOffTitle: 'Turn off second factors?',
    turnOffBody: 'The authenticator app, the recovery codes and the trusted devices are removed. Your sessions on other devices end.',
    turnOffConfirm: 'Turn off second factors',
  },
};
