import { story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

/** Invites a person to a client of another tenant. Returns the address, the link, and the owner of that tenant. */
async function invited(world) {
  const { email, staff } = await world.inviteElsewhere();
  return { email, staff, ...(await world.link(email, 'accept-invitation')) };
}

story('a person with an account signs in and accepts the invitation of another company', async ({ world, visitor }) => {
  const { email, url } = await invited(world);
  const tab = await (await visitor()).open(url);
  await tab.shows('Accept the invitation');
  await tab.press('Sign in and accept');
  await tab.shows('Sign in');
  await tab.send({ Password: PASSWORD }, 'Sign in');
  await tab.shows('Welcome, Ann Archer');
  await tab.sees('Harbour Office');
  await tab.open(url);
  await tab.shows('This link was already used');
});

story('a person who is signed in accepts with one click', async ({ world, visitor }) => {
  const { email, url } = await invited(world);
  const ann = await visitor();
  await (await ann.openSignedIn(email)).shows('Welcome, Ann Archer');
  const tab = await ann.open(url);
  await tab.press('Accept the invitation');
  await tab.shows('Welcome, Ann Archer');
  await tab.sees('Harbour Office');
});

story('an invitation for another account asks to sign in with that account', async ({ world, visitor }) => {
  const { email, url } = await invited(world);
  const ben = await visitor();
  await (await ben.openSignedIn(await world.person({ name: 'Ben Other' }))).shows('Welcome, Ben Other');
  const tab = await ben.open(url);
  await tab.sees('This invitation is for another account.');
  await tab.press('Sign out and go on');
  await tab.shows('Sign in');
  await tab.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await tab.shows('Welcome, Ann Archer');
});

story('an invitation survives a reload and the back button, until it is accepted', async ({ world, visitor }) => {
  const { url } = await invited(world);
  const tab = await (await visitor()).open(url);
  await tab.shows('Accept the invitation');
  await tab.page.reload();
  await tab.press('Sign in and accept');
  await tab.shows('Sign in');
  await tab.page.goBack();
  await tab.shows('Accept the invitation');
  await tab.page.goForward();
  await tab.sees('Sign in to accept the invitation.');
  await tab.page.reload();
  await tab.send({ Password: PASSWORD }, 'Sign in');
  await tab.sees('Harbour Office');
  await tab.page.goBack();
  await tab.page.goBack();
  await tab.shows('The link is missing');
});

story('an invitation that a newer mail replaces, or that is cancelled, says so while its page is open', async ({ world, visitor }) => {
  const { email, url, staff } = await invited(world);
  const ann = await visitor();
  await (await ann.openSignedIn(email)).shows('Welcome, Ann Archer');
  const tab = await ann.open(url);
  await tab.shows('Accept the invitation');
  await world.resendInvitation(email, staff);
  const newer = await world.link(email, 'accept-invitation');
  await tab.press('Accept the invitation');
  await tab.shows('This link is no longer valid');
  await tab.open(newer.url);
  await tab.shows('Accept the invitation');
  await world.cancelInvitation(email, staff);
  await tab.press('Accept the invitation');
  await tab.shows('This link is no longer valid');
  await tab.open('/portal');
  await tab.shows('Welcome, Ann Archer');
  await tab.misses('Harbour Office');
});
