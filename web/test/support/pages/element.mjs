// The example of docs/embedding.md, which contains the element <portico-sign-in>.
import { readFileSync } from 'node:fs';
import { refuse, succeed } from '../answers.mjs';
import { pagesOf } from './entry.mjs';
import { CHALLENGE } from './factors.mjs';

const PATH = '/embedding-example';
const ATTEMPT = { email: 'ann@acme.test', password: 'not-my-password' };
const SIGN_IN = 'POST /api/portal/auth/sign-in';
const element = (more) => pagesOf('anonymous')(PATH, { until: 'portico-sign-in form', ...more });

export const ELEMENT_PAGES = [
  element({ state: 'form' }),
  element({ state: 'empty', act: (on) => on.submit(), until: '[aria-invalid=true]' }),
  element({ state: 'refused', act: (on) => on.send(ATTEMPT), until: '[role=alert]:not(:empty)' }),
  element({
    state: 'second factor',
    answers: { [SIGN_IN]: succeed(CHALLENGE) },
    act: (on) => on.send(ATTEMPT),
    until: '[name=code]',
  }),
  element({
    state: 'second factor refused',
    answers: { [SIGN_IN]: succeed(CHALLENGE), 'POST /api/portal/auth/mfa/verify': refuse(401, 'invalid_code') },
    act: async (on) => {
      await on.send(ATTEMPT);
      await on.page.locator('[name=code]').fill('123456');
      await on.page.locator('portico-sign-in button[type=submit]').click();
    },
    until: '[role=alert]:not(:empty)',
  }),
  element({
    state: 'too many attempts',
    answers: { [SIGN_IN]: refuse(429, 'too_many_requests', { retry_after: 42 }) },
    act: (on) => on.send(ATTEMPT),
    until: 'button[aria-disabled]',
  }),
];

/** Lets a browser have the page of the example, with the server under test in the place of that of the example. */
export async function serveExample(context, origin) {
  const document = readFileSync(new URL('../../../../docs/embedding.md', import.meta.url), 'utf8');
  const [, example] = /```html\n(<!doctype html>.*?)```/s.exec(document);
  const body = example.replaceAll('https://accounts.example.com', origin);
  await context.route(origin + PATH, (route) => route.fulfill({ contentType: 'text/html', body }));
  await context.route(`${origin}/sign-in.js`, (route) => route.fulfill({ contentType: 'text/javascript', body: '' }));
}
