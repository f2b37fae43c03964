import assert from 'node:assert/strict';
import { story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

const DAY_MS = 24 * 60 * 60 * 1000;
/** 20 days ago: an expired link can be replaced for 14 days, and is deleted after 30. */
const LONG_AGO = new Date(Date.now() - 20 * DAY_MS).toISOString().replace('Z', '456+00:00');

/** The link that sets a new password. `send` mails one to a new person, and returns the address. */
const RESET = {
  page: 'reset-password',
  purpose: 'reset',
  title: 'Set a new password',
  send: async (world) => {
    const email = await world.person();
    await world.call('POST', '/api/portal/auth/forgot-password', { body: { email } });
    return email;
  },
};

/** The links of each purpose. A link that has expired is replaced with one of the same purpose, or with `renewed`. */
const LINKS = [
  { page: 'activate', purpose: 'activation', title: 'Activate your account', send: (world) => world.invite() },
  RESET,
  {
    page: 'accept-invitation',
    purpose: 'accept',
    title: 'Accept the invitation',
    send: async (world) => (await world.inviteElsewhere()).email,
  },
  {
    page: 'not-me',
    purpose: 'not_me',
    title: 'Was this sign-in not yours?',
    send: async (world) => {
      const email = await world.person();
      await world.call('POST', '/api/portal/auth/sign-in', { body: { email, password: PASSWORD } });
      return email;
    },
    renewed: RESET,
  },
];

for (const { page, purpose, title, send, renewed = { page, purpose, title } } of LINKS) {
  story(`/portal/${page} says that a link is not valid or is missing`, async ({ visitor }) => {
    const ann = await visitor();
    const tab = await ann.open(`/portal/${page}#token=${'A'.repeat(43)}`);
    await tab.shows('This link is not valid');
    await (await ann.open(`/portal/${page}`)).shows('The link is missing');
    await (await ann.open(`/portal/${page}#token=`)).shows('The link is missing');
    await (await ann.open(`/portal/${page}#token=<script>alert(1)</script>`)).shows('This link is not valid');
  });

  story(`a link to /portal/${page} is checked again after a lost connection, and replaced after its expiry`, async ({ world, visitor }) => {
    const email = await send(world);
    const { url } = await world.link(email, page);
    const ann = await visitor();
    await ann.context.route('**/check-token', (route) => route.abort());
    const tab = await ann.open('/portal/sign-in');
    tab.expectBrokenNetwork();
    await tab.open(url);
    await tab.shows('The link could not be checked');
    await ann.context.unroute('**/check-token');
    await tab.press('Try again');
    await tab.shows(title);

    const { length: before } = await world.mailsWithLink(email, renewed.page);
    await world.expire(email, purpose);
    await tab.page.reload();
    await tab.shows('This link has expired');
    await tab.button('Send me a new link').dblclick();
    await tab.shows('A new link is on its way');
    await tab.open((await world.link(email, renewed.page)).url);
    await tab.shows(renewed.title);

    await world.expire(email, renewed.purpose, LONG_AGO);
    await tab.page.reload();
    await tab.shows('This link has expired');
    await tab.press('Send me a new link');
    await tab.sees('This link is too old to be replaced.');
    assert.equal((await world.mailsWithLink(email, renewed.page)).length, before + 1, 'one mail was sent');
  });
}

story('a link for another purpose is not valid, and is not spent', async ({ world, visitor }) => {
  const email = await world.invite();
  const { url, token } = await world.link(email, 'activate');
  const ann = await visitor();
  await (await ann.open(`/portal/reset-password#token=${token}`)).shows('This link is not valid');
  await (await ann.open(url)).shows('Activate your account');
});

story('a page says that the browser is offline until the connection is back', async ({ visitor }) => {
  const ann = await visitor();
  const tab = await ann.open('/portal/sign-in');
  await tab.shows('Sign in');
  await ann.context.setOffline(true);
  await tab.sees('You are offline.');
  await ann.context.setOffline(false);
  await tab.page.getByText('You are offline.').waitFor({ state: 'hidden' });
});

story('a link that is opened while another person is signed in warns of that', async ({ world, visitor }) => {
  const [other, email] = [await world.person({ name: 'Ben Other' }), await world.invite()];
  const tab = await (await visitor()).openSignedIn(other);
  await tab.shows('Welcome, Ben Other');
  await tab.open((await world.link(email, 'activate')).url);
  await tab.shows('Activate your account');
  await tab.sees(`You are signed in as ${other} in this browser.`);
});
