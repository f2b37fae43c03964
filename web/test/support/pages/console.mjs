// The pages of the console in their states.
import { afterTrial, breakOff, refuse, succeed, wait } from '../answers.mjs';
import { pagesOf } from './entry.mjs';
import { CHALLENGE, DUE, ENROLMENT, factorsOf, RECOVERY_CODES, SETUP, STATUS } from './factors.mjs';

const [anonymous, viewer, support, founder] = ['anonymous', 'viewer', 'support', 'founder'].map(pagesOf);
/** The owner in two browsers, so that half of the pages are checked at the same time as the others. */
const [owner, ownerToo] = ['owner', 'ownerToo'].map(pagesOf);
const ADDRESS = { email: 'anonymous@lights.test' };
const CLIENT = '/console/clients/:client';
const BULK = `${CLIENT}/bulk-invite`;
const APPROVE = '/console/approve-login';
const SEND_BULK = 'POST /api/v1/clients/*/invitations/bulk';
const client = ({ client: id }) => `/console/clients/${id}`;
const bulk = (demo) => `${client(demo)}/bulk-invite`;

const LOGIN = new URLSearchParams({
  port: '49152',
  state: 'd2ViLXRlc3Qtc3RhdGU',
  code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  name: 'portico remote on build-server',
  scopes: 'clients:read,emails:read',
});
const approve = () => `${APPROVE}?${LOGIN}`;

const FLOW = '01a1fdba-f86f-76f5-b296-4e548b3691ab';
/** A code flow whose code is valid for so many seconds. */
const codeFor = (expires_in) => ({ 'POST /api/staff/auth/send-code': succeed({ flow: FLOW, expires_in }) });
const CODE = codeFor(600);
const STALE = { 'POST /api/v1/staff': refuse(403, 'step_up_required'), ...CODE };
const TOKEN = { 'POST /api/staff/tokens': succeed({ token: `portico_${'k7Qd93mXw2'.repeat(4)}`, name: 'Nightly export' }) };
/** The program that waits for the approval. */
const PROGRAM = '127.0.0.1:49152';
const APPROVED = {
  ...CODE,
  'POST /api/staff/auth/step-up': succeed({ status: 'signed_in' }),
  'POST /api/staff/cli-logins': succeed({ redirect_to: `http://${PROGRAM}/` }),
};
const SESSION = 'GET /api/staff/auth/session';
const MFA = '/api/staff/auth/mfa';
const VERIFY_CODE = 'POST /api/staff/auth/verify-code';
const ENROLLING = { ...CODE, [VERIFY_CODE]: succeed({ ...ENROLMENT, trusted_device_days: 0 }), [`POST ${MFA}/enrol/setup`]: succeed(SETUP) };
const withStatus = (status) => ({ [`GET ${MFA}/status`]: succeed(status), [SESSION]: factorsOf({ enabled: status.enabled }) });
const STARTING = { [`POST ${MFA}/setup`]: succeed(SETUP), [`POST ${MFA}/enable`]: succeed({ recovery_codes: RECOVERY_CODES }) };
const POLICY = {
  methods: { password: true, code: false, passkey: true, sso: true },
  mfa: { portal: 'admins', staff: 'all', grace_days: 7 },
  trusted_device_days: 30,
};
const UNAVAILABLE = refuse(503, 'unavailable');

const SVG = { name: 'logo.svg', mimeType: 'image/svg+xml', buffer: Buffer.from('<svg/>') };

/** Rows of each kind: two that can be invited, one that is there already, one twice, and two with errors. */
const ROWS = [
  'email,name,role',
  'jorg.mueller@acme.test,Jörg Müller,admin',
  'a.very.long.address.of.a.person@subsidiary.international.acme.test,Annabelle Featherstonehaugh-Cholmondeley,member',
  'jorg.mueller@acme.test,Jörg Müller,member',
  'ann.archer@acme.test,,',
  'no address,X,member',
  'x@acme.test,X,owner',
].join('\n');

export const CONSOLE_PAGES = [
  anonymous('/console/sign-in'),
  anonymous('/console/sign-in', { state: 'code', act: (on) => on.send(ADDRESS), shows: 'Enter the code' }),
  anonymous('/console/sign-in', {
    state: 'code wrong',
    answers: { ...CODE, 'POST /api/staff/auth/verify-code': refuse(401, 'invalid_code') },
    act: (on) => enterCode(on, 1),
    until: '[role=alert]',
  }),
  anonymous('/console/sign-in', {
    state: 'code expired',
    answers: codeFor(0),
    act: (on) => on.send(ADDRESS),
    shows: 'The code has expired',
  }),
  anonymous('/console/sign-in', {
    state: 'code dead',
    answers: { ...CODE, 'POST /api/staff/auth/verify-code': refuse(401, 'invalid_code') },
    act: (on) => enterCode(on, 5),
    shows: 'The code no longer works',
  }),
  anonymous('/console/sign-in', {
    state: 'second factor',
    answers: { ...CODE, [VERIFY_CODE]: succeed({ ...CHALLENGE, trusted_device_days: 0 }) },
    act: (on) => enterCode(on, 1),
    shows: 'Confirm the sign-in',
  }),
  anonymous('/console/sign-in', {
    state: 'setting up',
    answers: ENROLLING,
    act: async (on) => {
      await enterCode(on, 1);
      await on.press('Set up authenticator app');
    },
    until: '.p-qr-code img',
  }),
  anonymous('/console/sign-in', {
    state: 'too many codes',
    answers: { 'POST /api/staff/auth/send-code': refuse(429, 'too_many_requests', { retry_after: 1800 }) },
    act: (on) => on.send(ADDRESS),
    until: '[role=alert] [role=status]',
  }),
  anonymous('/console/sign-in', {
    state: 'session expired',
    at: () => '/console/sign-in?reason=session_expired',
    shows: 'Your session has expired. Sign in to continue where you were.',
  }),
  owner('/console/sign-in', { state: 'still signed in', shows: 'You are still signed in.' }),
  owner('/console'),
  owner('/console', { state: 'menu of the user', act: (on) => on.press('Menu of Olivia Hart'), until: ':popover-open' }),
  owner('/console', { state: 'menu of a phone', isNarrow: true, act: (on) => on.press('Menu'), until: '.p-app[data-navigation]' }),
  founder('/console', { state: 'first steps', shows: 'First steps' }),
  owner('/console', { state: 'unavailable', answers: { 'GET /api/v1/overview': UNAVAILABLE }, isFaulty: true, shows: 'Try again' }),
  owner('/console', {
    state: 'session unavailable',
    answers: { 'GET /api/staff/auth/session': UNAVAILABLE },
    isFaulty: true,
    shows: 'This page cannot be shown',
  }),
  owner('/console', { state: 'offline', isOffline: true }),
  owner('/console', {
    state: 'second factor due',
    answers: { [SESSION]: factorsOf({ required: true, due_at: DUE.LATER }) },
    shows: 'Set up a second factor',
  }),
  owner('/console', {
    state: 'second factor required',
    answers: { [SESSION]: factorsOf({ required: true, due_at: DUE.NOW }) },
    shows: 'A second factor is required',
  }),
  owner('/console/clients'),
  owner('/console/clients', { state: 'creating', act: (on) => on.press('New client'), until: 'dialog[open]' }),
  owner('/console/clients', {
    state: 'refused',
    answers: { 'POST /api/v1/clients': refuse(409, 'conflict') },
    act: async (on) => {
      await on.press('New client');
      await on.send({ name: 'Acme Ltd', external_ref: 'C-1001' });
    },
    shows: 'Another client has this reference.',
  }),
  owner('/console/clients', {
    state: 'nothing found',
    at: () => '/console/clients?q=nothing-has-this-name',
    shows: 'Nothing matches the filters.',
  }),
  founder('/console/clients', { state: 'empty', shows: 'There are no clients yet.' }),
  owner('/console/clients', { state: 'unavailable', answers: { 'GET /api/v1/clients': UNAVAILABLE }, isFaulty: true, shows: 'Try again' }),
  owner('/console/clients', { state: 'unreachable', answers: { 'GET /api/v1/clients': breakOff }, isFaulty: true, shows: 'Try again' }),
  owner(CLIENT, { at: client }),
  owner(CLIENT, { state: 'inviting', at: client, act: (on) => on.press('Invite'), until: 'dialog[open]' }),
  owner(CLIENT, {
    state: 'invitation advised',
    at: client,
    act: async (on) => {
      await on.press('Invite');
      await on.page.locator('dialog [name=email]').fill('ann.archer@acme.test');
    },
    shows: 'This person already has access to this client, or is already invited. Nothing will be sent.',
  }),
  owner(CLIENT, { state: 'editing', at: client, act: (on) => on.press('Edit'), until: 'dialog[open]' }),
  owner(CLIENT, { state: 'archiving', at: client, act: (on) => on.press('Archive'), until: 'dialog[open]' }),
  owner(CLIENT, { state: 'archived', at: ({ archived }) => `/console/clients/${archived}`, until: '.p-notice-warning' }),
  viewer(CLIENT, { state: 'of a viewer', at: client }),
  founder(CLIENT, { state: 'not found', at: client, shows: 'Not found' }),
  owner(CLIENT, { state: 'menu of a person', at: client, act: (on) => on.openRow('Ben Carter'), until: ':popover-open' }),
  owner(CLIENT, {
    state: 'disabling a person',
    at: client,
    act: (on) => on.choose('Ben Carter', 'Disable'),
    shows: 'Disable Ben Carter?',
  }),
  owner(CLIENT, {
    state: 'person disabled',
    at: client,
    answers: { 'PATCH /api/v1/clients/*/portal-users/*': succeed({}) },
    act: async (on) => {
      await on.choose('Ben Carter', 'Disable');
      await on.submit();
    },
    until: '.p-outcome',
  }),
  owner(BULK, { at: bulk }),
  owner(BULK, { state: 'refused', at: bulk, act: (on) => paste(on, 'name,role\nAnn,member'), until: '[role=alert]' }),
  owner(BULK, { state: 'preview', at: bulk, act: (on) => paste(on, ROWS), shows: 'No invitation is sent yet.' }),
  owner(BULK, { state: 'sending', at: bulk, answers: { [SEND_BULK]: afterTrial(wait) }, act: sendRows, until: 'progress' }),
  owner(BULK, {
    state: 'stopped',
    at: bulk,
    answers: { [SEND_BULK]: afterTrial(UNAVAILABLE) },
    isFaulty: true,
    act: sendRows,
    shows: 'The other rows were not sent. When you continue, no person is invited twice.',
  }),
  owner(BULK, {
    state: 'result',
    at: bulk,
    answers: { [SEND_BULK]: afterTrial(succeed(invitedRows(2))) },
    act: sendRows,
    until: '.p-notice-success',
  }),
  viewer(BULK, { state: 'forbidden', at: bulk, shows: 'You may not see this page' }),
  owner('/console/people'),
  owner('/console/people', { state: 'menu of a row', act: (on) => on.openRow('Ben Carter'), until: ':popover-open' }),
  owner('/console/people', {
    state: 'removing',
    act: (on) => on.choose('Ben Carter', 'Remove'),
    shows: 'Remove Ben Carter from the client?',
  }),
  founder('/console/people', { state: 'empty', shows: 'No person is invited yet.' }),
  owner('/console/invitations'),
  ...Object.entries({ resending: 'Send again', correcting: 'Correct the address', cancelling: 'Cancel the invitation' }).map(
    ([state, item]) => owner('/console/invitations', { state, act: (on) => on.choose('Dmytro Kovalenko', item), until: 'dialog[open]' }),
  ),
  owner('/console/invitations', {
    state: 'sent again',
    answers: { 'POST /api/v1/clients/*/invitations/*/resend': succeed({}) },
    act: async (on) => {
      await on.choose('Dmytro Kovalenko', 'Send again');
      await on.submit();
    },
    until: '.p-outcome',
  }),
  founder('/console/invitations', { state: 'empty', shows: 'No invitation was sent yet.' }),
  ownerToo('/console/mail'),
  ownerToo('/console/mail', { state: 'failed mails', at: () => '/console/mail?status=failed', shows: 'Send again' }),
  ownerToo('/console/mail', {
    state: 'sending again',
    at: ({ failed }) => `/console/mail?status=failed&recipient=${encodeURIComponent(failed)}`,
    act: (on, { failed }) => on.press(`Send again: ${failed}`),
    shows: 'Send this mail again?',
  }),
  ownerToo('/console/mail', {
    state: 'sending all again',
    at: () => '/console/mail?status=failed',
    act: (on) => on.press('Send failed mails again'),
    until: 'dialog[open] button[type=submit]',
  }),
  founder('/console/mail', {
    state: 'empty',
    answers: { 'GET /api/v1/emails': succeed({ data: [], next_cursor: null }) },
    shows: 'No mail was sent yet.',
  }),
  ownerToo('/console/audit'),
  ownerToo('/console/audit', {
    state: 'details',
    at: () => '/console/audit?action=client.created',
    act: ({ page }) => page.locator('.p-disclosure').last().click(),
    until: '.p-event',
  }),
  ownerToo('/console/audit', {
    state: 'exporting',
    answers: { 'GET /api/v1/audit-events/export': wait },
    isPending: true,
    act: (on) => on.press('Export'),
    shows: 'Stop the export',
  }),
  ownerToo('/console/audit', { state: 'exported', act: (on) => on.press('Export'), until: '.p-notice-success' }),
  support('/console/audit', { state: 'forbidden', shows: 'You may not see this page' }),
  ownerToo('/console/staff'),
  ownerToo('/console/staff', { state: 'inviting', act: (on) => on.press('Invite a person'), until: 'dialog[open]' }),
  ownerToo('/console/staff', { state: 'confirming', answers: STALE, isPending: true, act: inviteStaff, shows: 'Confirm that it is you' }),
  ownerToo('/console/staff', {
    state: 'code wrong',
    answers: { ...STALE, 'POST /api/staff/auth/step-up': refuse(401, 'invalid_code') },
    isPending: true,
    act: async (on) => {
      await inviteStaff(on);
      await on.send({ code: '123456' });
    },
    until: 'dialog [role=alert]',
  }),
  ownerToo('/console/staff', {
    state: 'code expired',
    answers: { ...STALE, ...codeFor(0) },
    isPending: true,
    act: inviteStaff,
    shows: 'The code has expired',
  }),
  ownerToo('/console/staff', { state: 'changing', act: (on) => on.choose('Olivia Hart', 'Change'), shows: 'Change name and role' }),
  ownerToo('/console/staff', { state: 'removing', act: (on) => on.choose('Olivia Hart', 'Remove'), shows: 'Remove Olivia Hart?' }),
  ownerToo('/console/service-accounts'),
  ownerToo('/console/service-accounts', { state: 'creating', act: (on) => on.press('Create a service account'), until: 'dialog[open]' }),
  ownerToo('/console/service-accounts', { state: 'tokens', act: (on) => on.press('Show tokens'), until: '.p-disclosure[aria-expanded=true]' }),
  founder('/console/service-accounts', { state: 'empty', shows: 'There is no service account' }),
  ownerToo('/console/tokens'),
  ownerToo('/console/tokens', { state: 'creating', act: (on) => on.press('Create a token'), until: 'dialog[open]' }),
  ownerToo('/console/tokens', {
    state: 'created',
    answers: TOKEN,
    act: async (on) => {
      await on.press('Create a token');
      await on.page.locator('dialog [type=checkbox]').first().check();
      await on.send({ name: 'Nightly export' });
    },
    until: '.p-secret',
  }),
  ownerToo('/console/tokens', {
    state: 'revoking',
    act: ({ page }) => page.locator('[data-role=actions] button').first().click(),
    until: 'dialog[open]',
  }),
  founder('/console/tokens', { state: 'empty', shows: 'There is no token' }),
  ownerToo('/console/branding'),
  ownerToo('/console/branding', { state: 'weak colour', act: chooseRed, until: '.p-color-weak' }),
  ownerToo('/console/branding', {
    state: 'refused',
    act: async (on) => {
      await chooseRed(on);
      await on.submit();
    },
    shows: 'Use #e50000',
  }),
  ownerToo('/console/branding', {
    state: 'logo refused',
    act: ({ page }) => page.locator('input[type=file]').setInputFiles(SVG),
    shows: 'SVG files can contain programs, so they are not accepted. Save the logo as PNG.',
  }),
  viewer('/console/branding', { state: 'of a viewer', until: '.p-color-dot' }),
  support('/console/branding', { state: 'forbidden', shows: 'You may not see this page' }),
  ownerToo('/console/sign-in-policy'),
  ownerToo('/console/sign-in-policy', {
    state: 'refused',
    answers: { 'PATCH /api/v1/sign-in-policy': refuse(422, 'validation_failed', { errors: [{ pointer: '/methods', code: 'methods_empty', detail: '' }] }) },
    act: (on) => on.submit(),
    shows: 'At least one way to sign in is needed.',
  }),
  ownerToo('/console/sign-in-policy', {
    state: 'day refused',
    answers: {
      'PATCH /api/v1/sign-in-policy': refuse(422, 'validation_failed', { errors: [{ pointer: '/mfa/grace_days', code: 'number_invalid', detail: '' }] }),
    },
    act: (on) => on.submit(),
    until: '.p-field-problem',
  }),
  ownerToo('/console/sign-in-policy', {
    state: 'saved',
    answers: { 'PATCH /api/v1/sign-in-policy': succeed(POLICY) },
    act: (on) => on.submit(),
    until: '.p-outcome',
  }),
  viewer('/console/sign-in-policy', { state: 'of a viewer', until: '.p-facts' }),
  support('/console/sign-in-policy', { state: 'forbidden', shows: 'You may not see this page' }),
  ownerToo('/console/account'),
  ownerToo('/console/account', { state: 'second factors on', answers: withStatus(STATUS.ON), shows: 'Make new codes' }),
  ownerToo('/console/account', {
    state: 'setting up',
    answers: { ...withStatus(STATUS.OFF), ...STARTING },
    act: (on) => on.press('Set up authenticator app'),
    until: '.p-qr-code img',
  }),
  ownerToo('/console/account', {
    state: 'recovery codes',
    answers: { ...withStatus(STATUS.OFF), ...STARTING },
    act: async (on) => {
      await on.press('Set up authenticator app');
      await on.send({ code: '123456' });
    },
    until: '.p-recovery-codes',
  }),
  ownerToo('/console/account', { state: 'asking', act: (on) => on.press('Sign out everywhere'), until: 'dialog[open]' }),
  ownerToo(APPROVE, { at: approve }),
  ownerToo(APPROVE, {
    state: 'confirming',
    at: approve,
    answers: CODE,
    isPending: true,
    act: (on) => on.press('Approve the login'),
    shows: 'Confirm that it is you',
  }),
  ownerToo(APPROVE, { state: 'approved', at: approve, host: PROGRAM, answers: APPROVED, act: approveLogin, shows: 'Login approved' }),
  ownerToo(APPROVE, { state: 'denied', at: approve, host: PROGRAM, act: (on) => on.press('Deny'), shows: 'Login denied' }),
  ownerToo(APPROVE, { state: 'invalid', at: () => `${APPROVE}?port=80`, shows: 'This login cannot be approved' }),
  support(APPROVE, {
    state: 'not in the role',
    at: () => `${APPROVE}?${new URLSearchParams({ ...Object.fromEntries(LOGIN), scopes: 'audit:read' })}`,
    shows: 'Your role includes none of the permissions that the program asks for, so you cannot approve this login.',
  }),
  anonymous('/console/nothing-here', { state: 'unknown', shows: 'Page not found' }),
];

async function enterCode(on, times) {
  await on.send(ADDRESS);
  for (let count = 0; count < times; count += 1) {
    await on.send({ code: '123456' });
    await on.page.locator('button[type=submit]:not([aria-disabled]), .p-notice-warning').first().waitFor();
  }
}

async function paste(on, table) {
  await on.page.getByRole('textbox').fill(table);
  await on.press('Check the rows');
}

async function sendRows(on) {
  await paste(on, ROWS);
  await on.page.locator('.p-counts').waitFor();
  await on.page.locator('.p-state + .p-actions .p-button-primary').click();
}

function invitedRows(count) {
  const row = (_, index) => ({ row: index + 1, status: 'invited', email: `ann${index}@acme.test`, errors: [] });
  const rows = Array.from({ length: count }, row);
  return { rows, counts: { invited: count, exists: 0, duplicate: 0, limited: 0, invalid: 0 } };
}

async function inviteStaff(on) {
  await on.press('Invite a person');
  await on.send({ email: 'new@lights.test' });
}

async function chooseRed({ page }) {
  await page.locator('.p-color-inputs input:not([type=color])').first().fill('#ff0000');
}

async function approveLogin(on) {
  await on.press('Approve the login');
  await on.send({ code: '123456' });
}
