import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.mjs';
import { story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

story('after sign-out, neither the back and forward buttons nor the other tab show data', async ({ world, visitor }) => {
  const ann = await visitor();
  const tab = await ann.openSignedIn(await world.person());
  await tab.shows('Welcome, Ann Archer');
  await tab.follow(/^Profile and language/);
  await tab.shows('Profile');
  const other = await ann.open('/portal');
  await other.shows('Welcome, Ann Archer');
  await tab.signOut();
  await tab.shows('You have signed out');
  await other.isAt((url) => /^\/portal\/(sign-in|signed-out)$/.test(url.pathname));
  await other.misses('Ann Archer');
  await tab.page.goBack();
  await tab.shows('Sign in');
  await tab.misses('Ann Archer');
  await tab.page.goForward();
  await tab.shows('You have signed out');
  await tab.misses('Ann Archer');
});

story('after sign-out on a page that was left with the back button, the forward button shows no data', async ({ world, visitor }) => {
  const tab = await (await visitor()).openSignedIn(await world.person());
  await tab.follow(/^Profile and language/);
  await tab.shows('Profile');
  await tab.open('/portal/account/sessions');
  await tab.shows('Devices');
  await tab.page.goBack();
  await tab.shows('Profile');
  await tab.page.goBack();
  await tab.shows('Welcome, Ann Archer');
  await tab.signOut();
  await tab.shows('You have signed out');
  for (const page of ['Profile', 'Devices']) {
    await tab.page.goForward();
    await tab.shows('Sign in');
    await tab.misses(page);
    await tab.misses('Ann Archer');
  }
});

story('a page that the browser has kept loads again, and shows no data of a session that has ended since', async ({ world, visitor }) => {
  const [ann, owner] = [await visitor(), await visitor()];
  const portal = await ann.openSignedIn(await world.person());
  await portal.shows('Welcome, Ann Archer');
  await ann.post('/api/portal/auth/sign-out');
  const console = await owner.openConsole((await world.tenant('Pine & Partners', 'Paula Pine')).owner);
  await console.sees('No person is invited yet.');
  await owner.post('/api/staff/auth/sign-out');
  for (const [tab, title, name] of [[portal, 'Sign in', 'Ann Archer'], [console, 'Sign in to the console', 'Paula Pine']]) {
    await tab.sees(name);
    // Playwright turns the back/forward cache off. This is the event by which a page learns that it comes from there.
    await tab.page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
    await tab.shows(title);
    await tab.misses(name);
  }
});

story('two tabs whose access has expired refresh the session once, and both go on', async ({ world, visitor }) => {
  const ann = await visitor();
  const tabs = [await ann.openSignedIn(await world.person()), await ann.open('/portal')];
  for (const tab of tabs) await tab.shows('Welcome, Ann Archer');
  let refreshes = 0;
  await ann.context.route('**/auth/refresh', async (route) => {
    refreshes += 1;
    // The first refresh takes until the other tab needs one too.
    const waiting = () => tabs[0].page.evaluate(async () => (await navigator.locks.query()).pending.length);
    await eventually('the other tab needs a refresh', async () => refreshes > 1 || (await waiting()) > 0);
    await route.continue();
  });
  await ann.endAccess();
  await Promise.all(tabs.map((tab) => tab.follow(/^Devices/)));
  for (const tab of tabs) await tab.sees('This device');
  assert.equal(refreshes, 1);
});

story('a session that was ended elsewhere comes back to the same page and query', async ({ world, visitor }) => {
  const email = await world.person();
  const [tab, phone] = [await (await visitor()).openSignedIn(email, '/portal/account/sessions?x=1'), await (await visitor()).openSignedIn(email, '/portal/account/sessions')];
  await tab.shows('Devices');
  await phone.press('End all other sessions');
  await phone.page.getByRole('dialog').getByRole('button', { name: 'End all other sessions' }).click();
  await phone.sees('All other sessions have ended.');
  await tab.page.reload();
  await tab.shows('Sign in');
  await tab.sees('Your session was ended');
  await tab.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await tab.shows('Devices');
  await tab.isAt('/portal/account/sessions?x=1');
});

story('a tab never shows the data of one person under the name of another', async ({ world, visitor }) => {
  const [email, other] = [await world.person(), await world.person({ name: 'Ben Other' })];
  const ann = await visitor();
  const tab = await ann.openSignedIn(email);
  await tab.shows('Welcome, Ann Archer');
  const second = await ann.open('/portal/sign-in');
  await second.send({ 'Email address': other, Password: PASSWORD }, 'Sign in');
  await second.shows('Welcome, Ben Other');
  await tab.shows('Welcome, Ben Other');
  await tab.misses('Ann Archer');
});

story('a person of two clients changes the client, and the other tab follows', async ({ world, visitor }) => {
  const email = await world.person({ client: await world.client('Acme Ltd') });
  await world.invite({ client: await world.client('Blue Harbour'), email });
  const ann = await visitor();
  const [tab, other] = [await ann.openSignedIn(email), await ann.open('/portal')];
  for (const each of [tab, other]) await each.shows('Welcome, Ann Archer');
  await tab.open('/portal/choose-client');
  await tab.shows('Choose a client');
  await tab.press(/Blue Harbour/);
  await tab.shows('Welcome, Ann Archer');
  await tab.sees('Blue Harbour');
  await other.sees('Blue Harbour');
});

story('pages ask for a session first and come back after sign-in', async ({ world, visitor }) => {
  const email = await world.person();
  const tab = await (await visitor()).open('/portal/account/sessions?from=mail');
  await tab.shows('Sign in');
  await tab.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await tab.shows('Devices');
  await tab.isAt('/portal/account/sessions?from=mail');
});
