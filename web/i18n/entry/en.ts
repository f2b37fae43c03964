/** The texts of the pages before sign-in. */
export default {
  email: 'Email address',
  password: 'Password',
  signIn: {
    title: 'Sign in',
    submit: 'Sign in',
    forgot: 'Forgot your password?',
    wrong: 'The email address or the password is not correct. After too many attempts the password is locked: then set a new one with "Forgot your password?".',
    invitation: 'Sign in to accept the invitation.',
    wrongAccount: 'This invitation is for another account. You can sign in without it.',
    invitationDead: 'The invitation is no longer valid. You can sign in without it.',
    reasons: {
      session_ended: 'Your session has ended. Sign in again.',
      session_expired: 'Your session has expired. Sign in again.',
      session_revoked: 'Your session was ended, for example from another device or by a new password. Sign in again.',
      password_reset: 'Your password is set. Sign in with it.',
    },
  },
  signedOut: { title: 'You have signed out', body: 'You can close this page.', signIn: 'Sign in again' },
};
