import assert from 'node:assert/strict';
import { story } from '../support/story.mjs';

/** Leads back and forward through the history, and asserts that no page shows data of a user who has left. */
async function showsNothingOf(name, tab) {
  for (const step of ['goBack', 'goBack', 'goForward']) {
    await tab.page[step]();
    await tab.shows('Sign in to the console');
    await tab.misses(name);
  }
}

story('after a sign-out of staff, no page of the history and no other tab shows data', async ({ world, visitor }) => {
  const { owner } = await world.tenant('Pine & Partners', 'Paula Pine');
  await world.client('Secret Shipping', owner);
  const browser = await visitor();
  const tab = await browser.openConsole(owner);
  await tab.follow('Clients');
  await tab.sees('Secret Shipping');
  const other = await browser.open('/console/clients');
  await other.sees('Secret Shipping');
  await tab.follow('My account');
  await tab.shows('My account');
  await tab.signOut();
  await tab.shows('Sign in to the console');
  await other.shows('Sign in to the console');
  for (const each of [tab, other]) await each.misses('Secret Shipping');
  await showsNothingOf('Paula Pine', tab);
  await tab.misses('Secret Shipping');
});

story('staff see their sessions, and end one of them or all', async ({ world, visitor }) => {
  const email = await world.staff('viewer');
  const userAgent = 'Mozilla/5.0 (Android 16; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0';
  const phone = await (await visitor({ userAgent })).openConsole(email, '/console/people');
  const tablet = await (await visitor()).openConsole(email, '/console/people');
  const tab = await (await visitor()).openConsole(email, '/console/account');
  await tab.page.getByRole('row', { name: 'This device' }).waitFor();
  assert.equal(await tab.page.getByRole('row').count(), 1 + 3);
  await tab.press(/^End the session on Firefox · Android/);
  await tab.confirm('End the session');
  await tab.page.getByRole('row', { name: 'Android' }).waitFor({ state: 'detached' });
  await phone.page.reload();
  await phone.sees('Your session was ended, for example from another device.');
  await phone.isAt((url) => url.searchParams.get('return_to') === '/console/people');
  await tablet.page.reload();
  await tablet.shows('People');
  await tab.press('Sign out everywhere');
  await tab.confirm('Sign out everywhere');
  await tab.shows('Sign in to the console');
  await tablet.page.reload();
  await tablet.sees('Your session was ended, for example from another device.');
});
