/** The texts that every page uses: errors, and the kit of the pages before sign-in. */
export default {
  neutralBrand: 'Client portal',
  retry: 'Try again',
  unreachable: 'The server cannot be reached. Check your connection and try again.',
  optional: 'optional',
  show: 'Show',
  hide: 'Hide',
  showPassword: 'Show password',
  hidePassword: 'Hide password',
  required: 'Fill in this field.',
  offline: 'You are offline. The page works again when the connection is back.',
  language: 'Language',
  languages: { en: 'English', de: 'Deutsch', fr: 'Français', es: 'Español' },
  pageNotFound: {
    title: 'Page not found',
    body: 'The address is not correct, or the page no longer exists.',
    home: 'Go to the start page',
  },
  pageFailed: {
    title: 'This page cannot be shown',
    body: 'An error occurred. Reload the page, or try again later.',
    reload: 'Reload the page',
  },
};
