import { formats } from '../formats.ts';

const { plural } = formats('en');

/** The texts of the sign-in policy in the console. */
export default {
  title: 'Sign-in policy',
  intro: 'How the people of your clients and your own staff sign in.',
  methods: 'Ways to sign in to the portal',
  methodsHint: 'Sessions that were opened in a way that you turn off end at once.',
  methodsEmpty: 'At least one way to sign in is needed.',
  methodNames: { password: 'Password', code: 'Mailed code', passkey: 'Passkey', sso: 'Account at an identity provider' },
  mfa: 'Second factors',
  portal: 'Required in the portal',
  staff: 'Required in the console',
  scopes: { off: 'Not required', admins: 'Administrators', all: 'All people' },
  portalHint: 'Administrators are those of the clients.',
  staffHint: 'Administrators have the role “Owner” or “Admin”.',
  grace: 'Grace period in days',
  graceHint: 'How long a person can still sign in without a second factor after it is required, or after the person was added: 0 to 90 days.',
  trusted: 'Trusted devices, in days',
  trustedHint: 'How long the portal does not ask again for the second factor in a browser that the person trusts: 0 to 365 days. With 0, it always asks.',
  days: (count: number) => plural(count, { one: '# day', other: '# days' }),
  save: 'Save the policy',
  saved: 'The sign-in policy is saved.',
};
