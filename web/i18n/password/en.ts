/** The texts about a new password. */
export default {
  label: 'New password',
  rules: (min: number) => [
    `At least ${min} characters. Longer is better.`,
    'Several words that do not belong together are a good choice.',
    'Not your name, your email address or the name of your company.',
  ],
  strength: {
    password_too_short: 'The password is too short.',
    password_too_long: 'The password is too long.',
    password_weak: 'This password is easy to guess.',
    good: 'This is a good password.',
    strong: 'This is a strong password.',
  },
};
