import { formats } from '../formats.ts';

const { plural } = formats('en');

/** The texts that every page uses: errors, the kit, and the frame of the pages. */
export default {
  neutralBrand: 'Client portal',
  skipToContent: 'Skip to content',
  menu: 'Menu',
  close: 'Close',
  cancel: 'Cancel',
  save: 'Save',
  saved: 'Saved.',
  retry: 'Try again',
  loading: 'Loading …',
  unreachable: 'The server cannot be reached. Check your connection and try again.',
  loadMore: 'Show more',
  showTable: 'Show as a table',
  filters: {
    label: 'Filters',
    all: 'All',
    from: 'From',
    to: 'To',
    clear: 'Clear filters',
    nothingFound: 'Nothing matches the filters.',
    shown: (count: number, hasMore: boolean) =>
      hasMore
        ? plural(count, { one: '# entry is shown. There are more.', other: '# entries are shown. There are more.' })
        : plural(count, { one: '# entry', other: '# entries' }),
  },
  optional: 'optional',
  copy: 'Copy',
  copied: 'Copied.',
  copyFailed: 'The browser does not allow copying here. Copy the text by hand.',
  show: 'Show',
  hide: 'Hide',
  showPassword: 'Show password',
  hidePassword: 'Hide password',
  requestId: (id: string) => `Request ${id}`,
  retryIn: (seconds: number) =>
    seconds < 90
      ? plural(seconds, { one: 'You can try again in # second.', other: 'You can try again in # seconds.' })
      : plural(Math.ceil(seconds / 60), { one: 'You can try again in # minute.', other: 'You can try again in # minutes.' }),
  retryNow: 'You can try again now.',
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
  forbidden: {
    title: 'You may not see this page',
    body: 'Your role does not include it. Ask an administrator if you need it.',
  },
  notFound: { title: 'Not found', body: 'This entry does not exist, or you may not see it.' },
  signedInElsewhere: 'You have signed in as another user in another tab. This page reloads.',
};
