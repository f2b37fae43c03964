import { story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

/** Invites a person of the demo tenant to a client of another tenant. Returns the address and the link. */
async function invited(world) {
  const email = await world.person();
  const { owner: staff } = await world.tenant();
  const client = await world.client('Harbour Office', staff);
  await world.invite({ client, email, staff });
  return { email, ...(await world.link(email, 'accept-invitation')) };
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

story('an invitation of another company that has expired is replaced', async ({ world, visitor }) => {
  const { email, url } = await invited(world);
  await world.expire(email, 'accept');
  const tab = await (await visitor()).open(url);
  await tab.shows('This link has expired');
  await tab.press('Send me a new link');
  await tab.open((await world.link(email, 'accept-invitation')).url);
  await tab.shows('Accept the invitation');
});
