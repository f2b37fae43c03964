import { story } from '../support/story.mjs';

const PAGES = ['activate', 'reset-password', 'accept-invitation', 'not-me'];

for (const page of PAGES) {
  story(`/portal/${page} says that a link is not valid or is missing`, async ({ visitor }) => {
    const ann = await visitor();
    const tab = await ann.open(`/portal/${page}#token=${'A'.repeat(43)}`);
    await tab.shows('This link is not valid');
    await (await ann.open(`/portal/${page}`)).shows('The link is missing');
    await (await ann.open(`/portal/${page}#token=`)).shows('The link is missing');
    await (await ann.open(`/portal/${page}#token=<script>alert(1)</script>`)).shows('This link is not valid');
  });
}

story('a link for another purpose is not valid, and is not spent', async ({ world, visitor }) => {
  const email = await world.invite();
  const { url, token } = await world.link(email, 'activate');
  const ann = await visitor();
  await (await ann.open(`/portal/reset-password#token=${token}`)).shows('This link is not valid');
  await (await ann.open(url)).shows('Activate your account');
});

story('a link that could not be checked is checked again when the connection is back', async ({ world, visitor }) => {
  const email = await world.invite();
  const { url } = await world.link(email, 'activate');
  const ann = await visitor();
  await ann.context.route('**/check-token', (route) => route.abort());
  const tab = await ann.open('/portal/sign-in');
  tab.expectBrokenNetwork();
  await tab.open(url);
  await tab.shows('The link could not be checked');
  await ann.context.unroute('**/check-token');
  await tab.press('Try again');
  await tab.shows('Activate your account');
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
