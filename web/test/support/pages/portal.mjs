// The pages of the portal in their states.
import { breakOff, change, refuse, succeed } from '../answers.mjs';
import { pagesOf } from './entry.mjs';
import { CHALLENGE, DEVICES, DUE, ENROLMENT, factorsOf, RECOVERY_CODES, SETUP, STATUS } from './factors.mjs';

const [anonymous, person, member, debtor] = ['anonymous', 'person', 'member', 'debtor'].map(pagesOf);
const SIGN_IN = 'POST /api/portal/auth/sign-in';
const SESSIONS = 'GET /api/portal/sessions';
const UNKNOWN = `#token=${'A'.repeat(43)}`;
const ATTEMPT = { email: 'ann@acme.test', password: 'not-my-password' };
const WAIT = { retry_after: 42 };
const SESSION = 'GET /api/portal/auth/session';
const MFA = '/api/portal/auth/mfa';
const VERIFY = `POST ${MFA}/verify`;
const FACTORS = '/portal/account/second-factors';
/** A sign-in that needs a second factor, and one whose user must set it up. */
const CHALLENGED = { [SIGN_IN]: succeed(CHALLENGE) };
const ENROLLING = {
  [SIGN_IN]: succeed({ ...ENROLMENT, mail_code_required: true }),
  [`POST ${MFA}/enrol/send-code`]: succeed({}),
  [`POST ${MFA}/enrol/setup`]: succeed(SETUP),
  [`POST ${MFA}/enrol/enable`]: succeed({
    status: 'signed_in',
    recovery_codes: RECOVERY_CODES,
    user: { id: 'u1', email: 'ann.archer@acme.test', name: 'Ann Archer', locale: null },
    client: null,
  }),
};
/** A session in which second factors are set up, on, or need a fresh proof. */
const STARTING = { [`POST ${MFA}/setup`]: succeed(SETUP), [`POST ${MFA}/enable`]: succeed({ recovery_codes: RECOVERY_CODES }) };
const withStatus = (status) => ({
  [`GET ${MFA}/status`]: succeed(status),
  'GET /api/portal/trusted-devices': succeed(DEVICES),
  [SESSION]: factorsOf({ enabled: status.enabled, required: status.required }),
});
const STALE = { [`POST ${MFA}/setup`]: refuse(403, 'step_up_required') };

/** The states of a page that a mailed link opens, of which the link cannot be used. */
const deadLinks = (path, links) =>
  Object.entries(links).map(([kind, shows]) =>
    anonymous(`/portal/${path}`, { state: `link ${kind}`, at: ({ dead }) => dead[path][kind], shows }),
  );

export const PORTAL_PAGES = [
  anonymous('/portal/sign-in'),
  anonymous('/portal/sign-in', { state: 'refused', act: (on) => on.send(ATTEMPT), until: '[role=alert]' }),
  anonymous('/portal/sign-in', { state: 'empty', act: (on) => on.submit(), until: '[aria-invalid=true]' }),
  anonymous('/portal/sign-in', {
    state: 'too many attempts',
    answers: { [SIGN_IN]: refuse(429, 'too_many_requests', WAIT) },
    act: (on) => on.send(ATTEMPT),
    until: '[role=alert] [role=status]',
  }),
  anonymous('/portal/sign-in', {
    state: 'suspended',
    act: (on, { suspended }) => on.send(suspended),
    until: '[role=alert]',
  }),
  anonymous('/portal/sign-in', {
    state: 'overloaded',
    answers: { [SIGN_IN]: refuse(503, 'unavailable') },
    isFaulty: true,
    act: (on) => on.send(ATTEMPT),
    until: '.p-request-id',
  }),
  anonymous('/portal/sign-in', {
    state: 'session ended',
    at: () => '/portal/sign-in?reason=session_revoked',
    shows: 'Your session was ended, for example from another device or by a new password. Sign in again.',
  }),
  anonymous('/portal/sign-in', {
    state: 'session expired',
    at: () => '/portal/sign-in?reason=session_expired',
    shows: 'Your session has expired. Sign in again.',
  }),
  anonymous('/portal/sign-in', {
    state: 'password set',
    at: () => '/portal/sign-in?reason=password_reset',
    shows: 'Your password is set. Sign in with it.',
  }),
  anonymous('/portal/sign-in', { state: 'second factor', answers: CHALLENGED, act: signIn, shows: 'Confirm the sign-in' }),
  anonymous('/portal/sign-in', {
    state: 'recovery code',
    answers: CHALLENGED,
    act: async (on) => {
      await signIn(on);
      await on.press('Use a recovery code instead');
    },
    until: '.p-code-recovery',
  }),
  anonymous('/portal/sign-in', {
    state: 'second factor refused',
    answers: { ...CHALLENGED, [VERIFY]: refuse(401, 'invalid_code') },
    act: enterFactor,
    until: '.p-field-problem',
  }),
  anonymous('/portal/sign-in', {
    state: 'second factor too many attempts',
    answers: { ...CHALLENGED, [VERIFY]: refuse(429, 'too_many_requests', WAIT) },
    act: enterFactor,
    until: '[role=alert] [role=status]',
  }),
  anonymous('/portal/sign-in', {
    state: 'second factor over',
    answers: { [SIGN_IN]: succeed({ ...CHALLENGE, expires_in: 0 }) },
    act: signIn,
    shows: 'The time for this sign-in is over',
  }),
  anonymous('/portal/sign-in', { state: 'second factor offline', answers: CHALLENGED, act: reachFactor, isOffline: true }),
  anonymous('/portal/sign-in', { state: 'enrolment', answers: ENROLLING, act: signIn, shows: 'Set up a second factor' }),
  anonymous('/portal/sign-in', { state: 'enrolment code sent', answers: ENROLLING, act: sendMailCode, until: '[name=code]' }),
  anonymous('/portal/sign-in', { state: 'setting up', answers: ENROLLING, act: beginEnrolment, until: '.p-qr-code img' }),
  anonymous('/portal/sign-in', {
    state: 'recovery codes',
    answers: ENROLLING,
    act: async (on) => {
      await beginEnrolment(on);
      await on.send({ code: '123456' });
    },
    until: '.p-recovery-codes',
  }),
  person('/portal/sign-in', { state: 'still signed in', shows: 'You are still signed in.' }),
  anonymous('/portal/sign-in', { state: 'offline', isOffline: true }),
  anonymous('/portal/forgot-password'),
  anonymous('/portal/forgot-password', {
    state: 'sent',
    answers: { 'POST /api/portal/auth/forgot-password': succeed({}) },
    act: (on) => on.send({ email: 'ann@acme.test' }),
    shows: 'Check your mailbox',
  }),
  anonymous('/portal/signed-out'),
  anonymous('/portal/activate', { at: ({ links }) => links.activate }),
  anonymous('/portal/activate', {
    state: 'refused',
    at: ({ links }) => links.activate,
    act: (on) => on.send({ password: 'short' }),
    // The judgement of the server arrives after the refusal.
    until: 'form:has([aria-invalid=true]) .p-meter[data-score]',
  }),
  anonymous('/portal/activate', {
    state: 'enrolment',
    at: ({ links }) => links.activate,
    answers: { 'POST /api/portal/auth/activate': succeed(ENROLMENT) },
    act: (on) => on.send({ password: 'quartz-lantern-41' }),
    shows: 'Set up a second factor',
  }),
  person('/portal/activate', { state: 'other account', at: ({ links }) => links.activate, until: '.p-notice-warning' }),
  anonymous('/portal/activate', { state: 'link unknown', at: () => `/portal/activate${UNKNOWN}`, shows: 'This link is not valid' }),
  ...deadLinks('activate', {
    expired: 'This link has expired',
    used: 'Your account is active. Sign in with your password.',
    cancelled: 'This link is no longer valid',
  }),
  anonymous('/portal/activate', {
    state: 'link renewed',
    at: ({ dead }) => dead.activate.expired,
    answers: { 'POST /api/portal/auth/request-new-link': succeed({}) },
    act: (on) => on.submit(),
    shows: 'A new link is on its way',
  }),
  anonymous('/portal/activate', {
    state: 'link too old',
    at: ({ dead }) => dead.activate.expired,
    answers: { 'POST /api/portal/auth/request-new-link': refuse(410, 'token_expired') },
    act: (on) => on.submit(),
    until: '[role=alert]',
  }),
  anonymous('/portal/activate', {
    state: 'link not checked',
    at: ({ links }) => links.activate,
    answers: { 'POST /api/portal/auth/check-token': breakOff },
    isFaulty: true,
    isOffline: true,
    shows: 'The link could not be checked',
  }),
  anonymous('/portal/reset-password', { at: ({ links }) => links.reset }),
  anonymous('/portal/reset-password', { state: 'link missing', shows: 'The link is missing' }),
  ...deadLinks('reset-password', {
    expired: 'This link has expired',
    used: 'The password was set with this link. Sign in with it, or receive a new link.',
    cancelled: 'The password was changed since, or there is a newer mail. Sign in, use the newest mail, or receive a new link.',
  }),
  anonymous('/portal/accept-invitation', { at: ({ links }) => links.accept }),
  person('/portal/accept-invitation', {
    state: 'signed in',
    at: ({ links }) => links.accept,
    until: 'form button[type=submit]',
  }),
  member('/portal/accept-invitation', { state: 'wrong account', at: ({ links }) => links.accept, shows: 'Sign out and go on' }),
  ...deadLinks('accept-invitation', {
    used: 'The invitation is already accepted. Sign in to go on.',
    cancelled: 'This link is no longer valid',
  }),
  anonymous('/portal/not-me', { at: ({ links }) => links.notMe }),
  anonymous('/portal/not-me', {
    state: 'done',
    at: ({ links }) => links.notMe,
    answers: { 'POST /api/portal/auth/not-me': succeed({}) },
    act: (on) => on.submit(),
    shows: 'Your account is secured',
  }),
  ...deadLinks('not-me', {
    used: 'This sign-in was already reported. All sessions have ended, and you have received a mail to set a new password.',
  }),
  person('/portal'),
  person('/portal', {
    state: 'no client',
    answers: { 'GET /api/portal/auth/session': change((session) => ({ ...session, client: null, clients: [] })) },
    shows: 'You have no access to any client',
  }),
  debtor('/portal', { state: 'past due', shows: 'A payment for this client is overdue.' }),
  person('/portal', { state: 'menu of the user', act: (on) => on.press('Account of Ann Archer'), until: ':popover-open' }),
  person('/portal', { state: 'menu of the clients', act: openClients, until: ':popover-open' }),
  person('/portal', {
    state: 'unavailable',
    answers: { 'GET /api/portal/auth/session': refuse(503, 'unavailable') },
    isFaulty: true,
    shows: 'This page cannot be shown',
  }),
  person('/portal', { state: 'offline', isOffline: true }),
  person('/portal', {
    state: 'second factor due',
    answers: { [SESSION]: factorsOf({ required: true, due_at: DUE.LATER }) },
    until: '.p-notice-warning',
  }),
  person('/portal', {
    state: 'second factor required',
    answers: { [SESSION]: factorsOf({ required: true, due_at: DUE.NOW }) },
    shows: 'A second factor is required',
  }),
  person('/portal', {
    state: 'second factor to prove',
    answers: { [SESSION]: factorsOf({ required: true, enabled: true, due_at: DUE.NOW }) },
    shows: 'Confirm your second factor',
  }),
  person('/portal/choose-client'),
  person('/portal/account'),
  person('/portal/account', { state: 'saved', act: (on) => on.submit(), shows: 'Saved.' }),
  person('/portal/account/password'),
  person('/portal/account/password', {
    state: 'refused',
    answers: { 'POST /api/portal/auth/change-password': refuse(401, 'invalid_credentials') },
    act: (on) => on.send({ current_password: 'not-my-password', new_password: 'quartz-lantern-42' }),
    shows: 'This password is not correct.',
  }),
  person('/portal/account/password', {
    state: 'confirming',
    answers: {
      [SESSION]: factorsOf({ enabled: true }),
      'POST /api/portal/auth/change-password': refuse(403, 'step_up_required'),
    },
    isPending: true,
    act: (on) => on.send({ current_password: 'quartz-lantern-41', new_password: 'quartz-lantern-42' }),
    shows: 'Confirm that it is you',
  }),
  person(FACTORS),
  person(FACTORS, {
    state: 'confirming',
    answers: { ...withStatus(STATUS.OFF), ...STALE },
    isPending: true,
    act: (on) => on.press('Set up authenticator app'),
    shows: 'Confirm that it is you',
  }),
  person(FACTORS, {
    state: 'setting up',
    answers: { ...withStatus(STATUS.OFF), ...STARTING },
    act: (on) => on.press('Set up authenticator app'),
    until: '.p-qr-code img',
  }),
  person(FACTORS, {
    state: 'recovery codes',
    answers: { ...withStatus(STATUS.OFF), ...STARTING },
    act: async (on) => {
      await on.press('Set up authenticator app');
      await on.send({ code: '123456' });
    },
    until: '.p-recovery-codes',
  }),
  person(FACTORS, {
    state: 'code refused',
    answers: { ...withStatus(STATUS.OFF), ...STARTING, [`POST ${MFA}/enable`]: refuse(401, 'invalid_code') },
    act: async (on) => {
      await on.press('Set up authenticator app');
      await on.send({ code: '123456' });
    },
    until: '.p-field-problem',
  }),
  person(FACTORS, { state: 'on', answers: withStatus(STATUS.ON), until: 'table' }),
  person(FACTORS, {
    state: 'confirming with a factor',
    answers: { ...withStatus(STATUS.ON), ...STALE },
    isPending: true,
    act: (on) => on.press('Replace authenticator app'),
    until: 'dialog [name=code]',
  }),
  person(FACTORS, { state: 'few codes', answers: withStatus(STATUS.FEW), until: '.p-notice-warning' }),
  person(FACTORS, { state: 'required', answers: withStatus(STATUS.REQUIRED), until: 'table' }),
  person(FACTORS, {
    state: 'turning off',
    answers: withStatus(STATUS.ON),
    act: (on) => on.press('Turn off'),
    shows: 'Turn off second factors?',
  }),
  person(FACTORS, {
    state: 'refused',
    answers: { ...withStatus(STATUS.ON), [`POST ${MFA}/disable`]: refuse(409, 'required_by_tenant') },
    act: async (on) => {
      await on.press('Turn off');
      await on.submit();
    },
    until: 'dialog [role=alert]',
  }),
  person(FACTORS, {
    state: 'removing all devices',
    answers: withStatus(STATUS.ON),
    act: (on) => on.press('Remove all devices'),
    until: 'dialog[open]',
  }),
  person(FACTORS, {
    state: 'unavailable',
    answers: { [`GET ${MFA}/status`]: refuse(503, 'unavailable') },
    isFaulty: true,
    shows: 'Try again',
  }),
  person('/portal/account/sessions'),
  person('/portal/account/sessions', { state: 'asking', act: (on) => on.press('End all other sessions'), until: 'dialog[open]' }),
  person('/portal/account/sessions', {
    state: 'unavailable',
    answers: { [SESSIONS]: refuse(503, 'overloaded') },
    isFaulty: true,
    shows: 'Try again',
  }),
  person('/portal/account/sessions', { state: 'unreachable', answers: { [SESSIONS]: breakOff }, isFaulty: true, shows: 'Try again' }),
  person('/portal/colleagues'),
  person('/portal/colleagues', { state: 'inviting', act: (on) => on.press('Invite a colleague'), until: 'dialog[open]' }),
  person('/portal/colleagues', { state: 'menu of a row', act: (on) => on.openRow('Ben Carter'), until: ':popover-open' }),
  person('/portal/colleagues', {
    state: 'asking',
    act: (on) => on.choose('Ben Carter', 'Disable access'),
    shows: 'Ben Carter is signed out at once and cannot sign in here until you enable the access again.',
  }),
  person('/portal/colleagues', {
    state: 'refused',
    answers: { 'PATCH /api/portal/colleagues/*': refuse(409, 'last_admin') },
    act: changeRole,
    until: 'dialog [role=alert]',
  }),
  person('/portal/colleagues', {
    state: 'changed',
    answers: { 'PATCH /api/portal/colleagues/*': succeed({}) },
    act: changeRole,
    shows: 'The role of Ben Carter is changed.',
  }),
  person('/portal/colleagues', {
    state: 'empty',
    answers: {
      'GET /api/portal/colleagues': change(({ data }) => ({ data: data.filter(({ name }) => name === 'Ann Archer'), next_cursor: null })),
      'GET /api/portal/colleagues/invitations': succeed({ data: [], next_cursor: null }),
    },
    shows: 'You have no colleagues here yet',
  }),
  member('/portal/colleagues', { state: 'forbidden', shows: 'You may not see this page' }),
  anonymous('/portal/nothing-here', { state: 'unknown', shows: 'Page not found' }),
];

function openClients({ page }) {
  return page.locator('.p-app-tools button[popovertarget]').first().click();
}

async function changeRole(on) {
  await on.choose('Ben Carter', 'Make administrator');
  await on.submit();
}

function signIn(on) {
  return on.send(ATTEMPT);
}

async function reachFactor(on) {
  await signIn(on);
  await on.page.locator('[name=code]').waitFor();
}

async function enterFactor(on) {
  await reachFactor(on);
  await on.send({ code: '123456' });
}

async function sendMailCode(on) {
  await signIn(on);
  await on.press('Send the code');
}

async function beginEnrolment(on) {
  await sendMailCode(on);
  await on.page.locator('[name=code]').waitFor();
  await on.send({ code: '123456' });
  await on.page.locator('.p-qr-code img').waitFor();
}
