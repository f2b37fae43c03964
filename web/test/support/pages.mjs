// Every page in its main state and in others, for axe, the layout checks, the figures and the screenshots.
const LOGIN = new URLSearchParams({
  port: '49152',
  state: 'd2ViLXRlc3Qtc3RhdGU',
  code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  name: 'portico remote on build-server',
  scopes: 'clients:read,emails:read',
});
/** A table of people with a row that repeats an address, and one with errors. */
const TABLE = [
  'email,name,role',
  'greta.holm@acme.test,Greta Holm,admin',
  'jörg@acme.test,Jörg Weiß,member',
  'henri.petit@acme.test,Henri Petit,member',
  'henri.petit@acme.test,Henri Petit,member',
  'ben.carter@acme.test,Ben Carter,member',
  'no address,Ida Ek,owner',
];
const UNKNOWN = `#token=${'A'.repeat(43)}`;

const page = (path, visitor, more = {}) => ({ path, visitor, state: 'main', at: () => path, act: async () => undefined, ...more });
const anonymous = (path, more) => page(path, 'anonymous', more);
const person = (path, more) => page(path, 'person', more);
const owner = (path, more) => page(path, 'owner', more);
const client = ({ client: id }) => `/console/clients/${id}`;

/**
 * The states of the pages. `visitor` opens the page: an anonymous visitor, a portal user, or the owner. `at` returns the
 * address, and `act` leads to the state.
 */
export const PAGES = [
  anonymous('/portal/sign-in'),
  anonymous('/portal/sign-in', {
    state: 'refused',
    act: (tab) => tab.send({ 'Email address': 'ann@acme.test', Password: 'not-my-password' }, 'Sign in'),
    until: '[role=alert]',
  }),
  anonymous('/portal/sign-in', { state: 'session ended', at: () => '/portal/sign-in?reason=session_revoked' }),
  anonymous('/portal/forgot-password'),
  anonymous('/portal/forgot-password', {
    state: 'sent',
    act: async (tab) => {
      await tab.send({ 'Email address': 'nadia.berg@acme.test' }, 'Send the link');
      await tab.shows('Check your mailbox');
    },
  }),
  anonymous('/portal/signed-out'),
  anonymous('/portal/activate', { at: ({ links }) => links.activate }),
  anonymous('/portal/activate', {
    state: 'refused',
    at: ({ links }) => links.activate,
    act: async (tab) => {
      await tab.send({ 'New password': 'short' }, 'Activate the account');
      await tab.page.locator('[aria-invalid=true]').waitFor();
    },
    until: '.p-meter[data-score]',
  }),
  anonymous('/portal/activate', { state: 'dead', at: () => `/portal/activate${UNKNOWN}` }),
  anonymous('/portal/reset-password', { at: ({ links }) => links.reset }),
  anonymous('/portal/reset-password', { state: 'missing', at: () => '/portal/reset-password' }),
  anonymous('/portal/accept-invitation', { at: ({ links }) => links.accept }),
  person('/portal/accept-invitation', { state: 'signed in', at: ({ links }) => links.accept }),
  anonymous('/portal/not-me', { at: ({ links }) => links.notMe }),
  person('/portal'),
  person('/portal/choose-client'),
  person('/portal/account'),
  person('/portal/account/password'),
  person('/portal/account/sessions'),
  person('/portal/colleagues'),
  person('/portal/colleagues', { state: 'inviting', act: (tab) => tab.press('Invite a colleague') }),
  anonymous('/portal/nothing-here', { state: 'unknown' }),
  anonymous('/console/sign-in'),
  anonymous('/console/sign-in', {
    state: 'code',
    act: async (tab) => {
      await tab.send({ 'Email address': 'anonymous@lights.test' }, 'Send the code');
      await tab.shows('Enter the code');
    },
  }),
  owner('/console'),
  owner('/console/clients'),
  owner('/console/clients', { state: 'creating', act: (tab) => tab.press('New client') }),
  owner('/console/clients/:client', { at: client }),
  owner('/console/clients/:client', { state: 'inviting', at: client, act: (tab) => tab.press('Invite') }),
  owner('/console/clients/:client/bulk-invite', { at: (demo) => `${client(demo)}/bulk-invite` }),
  owner('/console/clients/:client/bulk-invite', {
    state: 'preview',
    at: (demo) => `${client(demo)}/bulk-invite`,
    act: async (tab) => {
      await tab.page.getByRole('textbox').fill(TABLE.join('\n'));
      await tab.press('Check the rows');
      await tab.sees('2 people can be invited');
    },
  }),
  owner('/console/people'),
  owner('/console/invitations'),
  owner('/console/mail'),
  owner('/console/audit'),
  owner('/console/staff'),
  owner('/console/staff', { state: 'inviting', act: (tab) => tab.press('Invite a person') }),
  owner('/console/service-accounts'),
  owner('/console/tokens'),
  owner('/console/tokens', { state: 'creating', act: (tab) => tab.press('Create a token') }),
  owner('/console/tokens', {
    state: 'created',
    act: async (tab) => {
      await tab.press('Create a token');
      await tab.fill('Name', 'Export to the warehouse');
      await tab.page.getByRole('dialog').getByRole('checkbox').first().check();
      await tab.confirm('Create the token');
      await tab.page.locator('.p-secret').waitFor();
    },
  }),
  owner('/console/account'),
  owner('/console/branding'),
  owner('/console/approve-login', { at: () => `/console/approve-login?${LOGIN}` }),
];

/** The main state of each page. */
export const MAIN_PAGES = PAGES.filter(({ state }) => state === 'main');

/** Waits until a page has loaded its data and shows it. */
export async function settled({ page }, until = 'h1') {
  await page.locator(until).first().waitFor();
  await page.waitForFunction(() => !document.querySelector('.p-skeleton, .p-checking:not(:empty), .p-spinner'));
  await page.evaluate(() => document.fonts.ready);
}

/** Opens a page in a tab that may show another one, and leads it to its state. */
export async function openPage(tab, entry, demo) {
  // A link whose page is already open would only change the fragment.
  await tab.page.goto('about:blank');
  await tab.open(entry.at(demo));
  await settled(tab);
  await entry.act(tab);
  await settled(tab, entry.until);
}
