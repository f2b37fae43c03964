// Answers of the API about second factors, for the states of the pages.
import { readFileSync } from 'node:fs';
import { change } from '../answers.mjs';

/** The answer to a sign-in that needs a second factor. */
export const CHALLENGE = {
  status: 'mfa_required',
  challenge: 'c'.repeat(43),
  methods: ['totp', 'recovery_code'],
  mail_code_required: false,
  trusted_device_days: 30,
  expires_in: 300,
};

/** The answer to a sign-in of a user who must set a second factor up. */
export const ENROLMENT = { ...CHALLENGE, status: 'mfa_enrolment_required', methods: ['totp'], expires_in: 900 };

/** A setup of an authenticator app, as a server has answered it. */
export const SETUP = {
  secret: 'ZXSJA5CJT5QCO25XKDAAV5CSTIJD3HAT',
  otpauth_uri:
    'otpauth://totp/Demo%20Company:ann.archer%40acme.test?secret=ZXSJA5CJT5QCO25XKDAAV5CSTIJD3HAT&issuer=Demo%20Company',
  qr_svg: readFileSync(new URL('qr-code.svg', import.meta.url), 'utf8'),
  expires_at: '2100-01-01T00:00:00Z',
};

/** Ten recovery codes. */
export const RECOVERY_CODES = Array.from({ length: 10 }, (_, index) => `ZW0${index}-4D2P-F2DB-SQQG`);

const OFF = { enabled: false, required: false, due_at: null, totp: false, passkeys: 0, recovery_codes_left: 0, trusted_devices: 0 };
const ON = { ...OFF, enabled: true, totp: true, recovery_codes_left: 10, trusted_devices: 2 };
/** The second factors of a user. */
export const STATUS = { OFF, ON, FEW: { ...ON, recovery_codes_left: 2 }, REQUIRED: { ...ON, required: true } };

/** Changes what a session says about second factors. */
export const factorsOf = (mfa) => change((current) => ({ ...current, session: { ...current.session, mfa: { ...current.session.mfa, ...mfa } } }));

/** Until when a second factor must be set up: there is time, or none. */
export const DUE = { LATER: '2100-01-08T09:30:00Z', NOW: '2020-01-01T00:00:00Z' };

const device = (id, device, ip) => ({
  id: `01a1fdba-f86f-76f5-b296-4e548b36${id}`,
  device,
  ip,
  created_at: '2026-02-20T08:00:00Z',
  last_used_at: '2026-03-01T17:30:00Z',
  expires_at: '2026-03-22T08:00:00Z',
});
/** The trusted devices of a user. */
export const DEVICES = { data: [device('91ab', 'Firefox on Windows', '198.51.100.7'), device('91ac', 'Unknown device', null)], next_cursor: null };
