/** The texts of the portal after sign-in. */
export default {
  signOut: 'Sign out',
  home: { title: 'Home' },
};
