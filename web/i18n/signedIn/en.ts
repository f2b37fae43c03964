import { formats } from '../formats.ts';

const { plural } = formats('en');

/** The texts that all pages after sign-in use: the frame of the pages, lists and dialogs. The offer to go
 * on with a session uses them too. */
export default {
  stillSignedIn: 'You are still signed in.',
  continueAs: (name: string) => `Continue as ${name}`,
  skipToContent: 'Skip to content',
  menu: 'Menu',
  close: 'Close',
  cancel: 'Cancel',
  save: 'Save',
  saved: 'Saved.',
  loading: 'Loading …',
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
  copy: 'Copy',
  copied: 'Copied.',
  copyFailed: 'The browser does not allow copying here. Copy the text by hand.',
  forbidden: {
    title: 'You may not see this page',
    body: 'Your role does not include it. Ask an administrator if you need it.',
  },
  notFound: { title: 'Not found', body: 'This entry does not exist, or you may not see it.' },
  signedInElsewhere: 'You have signed in as another user in another tab. This page reloads.',
  secondFactor: {
    due: (date: string) => `The company requires a second factor. Set one up by ${date}.`,
    setUp: 'Set up a second factor',
  },
  confirmIdentity: 'Confirm that it is you',
};
