import assert from 'node:assert/strict';
import { APPLICATION } from '../support/deployments.mjs';
import { pageStory } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

/** Values of `return_to` that must not be followed. */
const FOREIGN = [
  '//evil.test',
  '/\\evil.test',
  '\\\\evil.test',
  '/%09/evil.test',
  '/\t/evil.test',
  'https://evil.test/portal',
  'https:evil.test',
  'javascript:alert(document.domain)',
  'data:text/html,<script>alert(1)</script>',
  'https://app.example.test@evil.test',
  'https://app.example.test.evil.test',
  'http://app.example.test',
  '/portal/sign-in?return_to=/portal/sign-in',
];

pageStory('sign-in leads to no foreign origin', async ({ world, visitor }) => {
  const email = await world.person();
  const ann = await visitor();
  const tab = await ann.open('/portal/sign-in');
  for (const value of FOREIGN) {
    await tab.open(`/portal/sign-in?return_to=${encodeURIComponent(value)}`);
    await tab.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
    // One of the values is a path that does not exist.
    await tab.sees(/^Welcome, Ann Archer$|"code":"not_found"/);
    assert.equal(new URL(tab.page.url()).origin, world.origin, value);
    await ann.context.clearCookies();
  }
});

pageStory('sign-in leads to an application that the operator has allowed', async ({ world, visitor }) => {
  const email = await world.person();
  const ann = await visitor();
  await ann.context.route(`${APPLICATION}/**`, (route) => route.fulfill({ body: '<h1>Our application</h1>', contentType: 'text/html' }));
  const tab = await ann.open(`/portal/sign-in?return_to=${encodeURIComponent(`${APPLICATION}/orders?page=2`)}`);
  tab.expectHost(new URL(APPLICATION).host);
  await tab.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await tab.shows('Our application');
  assert.equal(tab.page.url(), `${APPLICATION}/orders?page=2`);
});
