/** The texts of the console. */
export default {
  signOut: 'Sign out',
  signIn: { title: 'Sign in' },
  overview: { title: 'Overview' },
};
