/** The texts of the pages before sign-in. */
export default {
  email: 'Email address',
  password: 'Password',
  signIn: {
    title: 'Sign in',
    intro: 'Use the address that was invited.',
    submit: 'Sign in',
    forgot: 'Forgot your password?',
  },
};
