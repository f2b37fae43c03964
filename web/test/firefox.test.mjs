// The main path in Debian's Firefox: the pages work in another engine than Chromium's.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { deployments } from './support/deployments.mjs';
import { openFirefoxTab, startFirefox } from './support/firefox.mjs';
import { PASSWORD, World } from './support/world.mjs';

let world, browser;
before(async () => {
  [world, browser] = await Promise.all([deployments.single().then((deployment) => new World(deployment)), startFirefox()]);
});
after(async () => {
  await browser?.close();
  await world?.deployment.stop();
});

/** A test with a new profile. It fails if a page writes an error to the console. */
const firefox = (name, run) =>
  test(name, async () => {
    const problems = [];
    await run(await openFirefoxTab(browser, problems));
    assert.deepEqual(problems, []);
  });

firefox('a person activates by the link, sees the account, signs out, and signs in', async (tab) => {
  const email = await world.invite();
  const { url } = await world.link(email, 'activate');
  await tab.open(url);
  await tab.shows('Activate your account');
  assert.equal(tab.page.url(), `${world.origin}/portal/activate`);
  await tab.fill('New password', PASSWORD);
  await tab.press('Activate the account');
  await tab.shows('Welcome, Ann Archer');
  await tab.open(`${world.origin}/portal/account`);
  await tab.shows('Profile');
  await tab.press('Account of Ann Archer');
  await tab.press('Sign out');
  await tab.shows('You have signed out');
  await tab.follow('Sign in again');
  await tab.fill('Email address', email);
  await tab.fill('Password', PASSWORD);
  await tab.press('Sign in');
  await tab.shows('Welcome, Ann Archer');
});

firefox('a staff user signs in by a code', async (tab) => {
  const email = await world.staff('owner');
  await tab.open(`${world.origin}/console`);
  await tab.shows('Sign in to the console');
  await tab.fill('Email address', email);
  await tab.press('Send the code');
  await tab.fill('Code', await world.code(email));
  await tab.press('Sign in');
  await tab.shows('Overview');
});
