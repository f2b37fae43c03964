import { formats } from '../formats.ts';

const { plural } = formats('en');

/** The texts of the custom element `<portico-sign-in>`. It contains all languages. */
export default {
  email: 'Email address',
  password: 'Password',
  show: 'Show password',
  submit: 'Sign in',
  forgot: 'Forgot your password?',
  done: 'You are signed in.',
  required: 'Fill in this field.',
  wrong: 'The email address or the password is not correct. After too many attempts the password is locked: then set a new one with "Forgot your password?".',
  suspended: 'Access is suspended. Contact the company that invited you.',
  retryIn: (seconds: number) =>
    plural(seconds, {
      one: 'There were too many attempts. You can try again in # second.',
      other: 'There were too many attempts. You can try again in # seconds.',
    }),
  unreachable: 'The server cannot be reached. Check your connection and try again.',
  failed: 'An error occurred. Try again later.',
  appCode: 'Code of the authenticator app',
  recoveryCode: 'Recovery code',
  useRecovery: 'Use a recovery code instead',
  useApp: 'Use the authenticator app instead',
  trust: (days: number) =>
    plural(days, { one: 'Do not ask again in this browser for # day', other: 'Do not ask again in this browser for # days' }),
  cancel: 'Cancel',
  wrongCode: 'This code is not correct, or it was already used.',
  ended: 'This sign-in has ended. Sign in again.',
};
