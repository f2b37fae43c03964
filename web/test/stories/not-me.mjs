import { story } from '../support/story.mjs';

/** Signs in from an unknown device. Returns the address, and the link of the notice about it. */
async function unknownSignIn(world, visitor) {
  const email = await world.person();
  const thief = await (await visitor()).openSignedIn(email);
  return { email, thief, ...(await world.link(email, 'not-me')) };
}

story('a person reports a foreign sign-in, and the thief is signed out', async ({ world, visitor }) => {
  const { email, thief, url } = await unknownSignIn(world, visitor);
  const tab = await (await visitor()).open(url);
  await tab.shows('Was this sign-in not yours?');
  await tab.page.reload();
  await tab.shows('Was this sign-in not yours?');
  await thief.page.reload();
  await thief.shows('Welcome, Ann Archer');
  await tab.press('Secure the account');
  await tab.shows('Your account is secured');
  await tab.page.reload();
  await tab.shows('The link is missing');
  await tab.follow('Set a new password');
  await tab.shows('Forgot your password?');
  await thief.page.reload();
  await thief.shows('Sign in');
  await tab.open((await world.link(email, 'reset-password')).url);
  await tab.shows('Set a new password');
  await tab.open(url);
  await tab.shows('This link was already used');
});

story('a report with a link that an operator has withdrawn leads to a new password', async ({ world, visitor }) => {
  const { email, url } = await unknownSignIn(world, visitor);
  const tab = await (await visitor()).open(url);
  await tab.shows('Was this sign-in not yours?');
  // As the removal of a server key does it.
  const person = `(SELECT id FROM portal_users WHERE email = '${email}')`;
  await world.deployment.sql(`UPDATE link_tokens SET revoked_at = created_at WHERE purpose = 'not_me' AND portal_user_id = ${person}`);
  await tab.press('Secure the account');
  await tab.shows('This link is no longer valid');
  await tab.follow('Set a new password');
  await tab.shows('Forgot your password?');
});
