import { assertForgotten } from '../support/secrets.mjs';
import { story } from '../support/story.mjs';

story('staff sign in with a mailed code, and come back to the page that they wanted', async ({ world, visitor }) => {
  const email = await world.staff('viewer');
  const tab = await (await visitor()).open('/console/account?from=mail');
  await tab.shows('Sign in to the console');
  await tab.send({ 'Email address': email }, 'Send the code');
  await tab.shows('Enter the code');
  const code = await world.code(email);
  await tab.send({ Code: code === '000000' ? '000001' : '000000' }, 'Sign in');
  await tab.sees('The code is not correct. You have 4 tries left.');
  await tab.send({ Code: `${code.slice(0, 3)} ${code.slice(3)}` }, 'Sign in');
  await tab.shows('My account');
  await tab.isAt('/console/account?from=mail');
});

story('the sign-in with a code survives a reload and a return', async ({ world, visitor }) => {
  const email = await world.staff('viewer');
  const tab = await (await visitor()).open('/console/sign-in');
  await tab.send({ 'Email address': email }, 'Send the code');
  await tab.shows('Enter the code');
  await tab.page.reload();
  await tab.shows('Enter the code');
  await tab.press('Use another address');
  await tab.shows('Sign in to the console');
  await tab.send({ 'Email address': email }, 'Send the code');
  await world.code(email);
  await tab.send({ Code: await world.code(email) }, 'Sign in');
  await tab.shows('Overview');
});

story('a code that was tried too often is replaced without typing the address', async ({ world, visitor }) => {
  const email = await world.staff('viewer');
  const tab = await (await visitor()).open('/console/sign-in');
  await tab.page.clock.install();
  await tab.send({ 'Email address': email }, 'Send the code');
  const code = await world.code(email);
  for (let misses = 1; misses <= 5; misses += 1) {
    await tab.send({ Code: code === '000000' ? '000001' : '000000' }, 'Sign in');
    await (misses < 5 ? tab.sees(misses === 4 ? 'You have 1 try left.' : `You have ${5 - misses} tries left.`) : tab.sees('The code no longer works'));
  }
  await tab.page.clock.fastForward('01:00');
  await tab.press('Send a new code');
  await tab.send({ Code: await world.code(email) }, 'Sign in');
  await tab.shows('Overview');
});

story('a tab of the console never shows the data of one staff user under the name of another', async ({ world, visitor }) => {
  const [first, second] = [await world.tenant('Pine & Partners', 'Paula Pine'), await world.tenant('Blue Harbour', 'Olivia Hart')];
  const browser = await visitor();
  const tab = await browser.openConsole(first.owner);
  await tab.sees('Paula Pine');
  const other = await browser.open('/console/sign-in');
  await other.send({ 'Email address': second.owner }, 'Send the code');
  await other.send({ Code: await world.code(second.owner) }, 'Sign in');
  await other.sees('Olivia Hart');
  await tab.sees('Olivia Hart');
  await tab.misses('Paula Pine');
});

story('staff whose session was ended on another device learn it, and come back to the same page', async ({ world, visitor }) => {
  const email = await world.staff('viewer');
  const [tab, phone] = [await (await visitor()).openConsole(email, '/console/account'), await (await visitor()).openConsole(email, '/console/account')];
  await tab.shows('My account');
  await phone.press('End all other sessions');
  await phone.confirm('End all other sessions');
  await phone.page.getByRole('dialog').waitFor({ state: 'detached' });
  await tab.page.reload();
  await tab.sees('Your session was ended, for example from another device.');
  await tab.send({ 'Email address': email }, 'Send the code');
  await tab.send({ Code: await world.code(email) }, 'Sign in');
  await tab.shows('My account');
});

story('a sign-out of staff that fails says so, and does not explain the later end of the session', async ({ world, visitor }) => {
  const email = await world.staff('viewer');
  const tab = await (await visitor()).openConsole(email);
  await tab.shows('Overview');
  tab.expectBrokenNetwork();
  await tab.page.route('**/auth/sign-out', (route) => route.abort());
  await tab.signOut();
  await tab.sees('The server cannot be reached. Check your connection and try again.');
  await tab.press('Close');
  const phone = await (await visitor()).openConsole(email, '/console/account');
  await phone.press('Sign out everywhere');
  await phone.confirm('Sign out everywhere');
  await phone.shows('Sign in to the console');
  await phone.misses(/Your session/);
  await tab.follow('Clients');
  await tab.sees('Your session was ended, for example from another device.');
});

story('an owner whose session is not fresh confirms a new staff user with a code', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const tab = await (await visitor()).openConsole(owner, '/console/staff');
  await tab.shows('Staff');
  await world.makeStale(owner);
  const email = world.address('viewer');
  await tab.press('Invite a person');
  await tab.send({ 'Email address': email }, 'Send the invitation');
  await tab.sees('Confirm that it is you');
  await tab.send({ Code: await world.code(owner) }, 'Confirm');
  await tab.sees(`A mail to ${email} is on its way.`);
  await tab.act(email.split('@')[0], 'Remove');
  await tab.confirm('Remove the person');
  await tab.page.getByRole('row', { name: email.split('@')[0] }).waitFor({ state: 'detached' });
});

story('the last owner cannot give up the role', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const tab = await (await visitor()).openConsole(owner, '/console/staff');
  await tab.act('Olivia Hart', 'Change');
  await tab.page.getByRole('dialog').getByLabel('Role').selectOption('viewer');
  await tab.press('Save');
  await tab.sees('There is no other owner.');
});

story('an API token is shown once, works, and can be revoked', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const tab = await (await visitor()).openConsole(owner, '/console/tokens');
  await tab.press('Create a token');
  await tab.fill('Name', 'Nightly export');
  await tab.page.getByRole('dialog').getByRole('checkbox').first().check();
  await tab.press('Create the token');
  const token = await tab.field('Token').inputValue();
  const answered = async (status) => (await world.call('GET', '/api/v1/token', { token })).status === status;
  if (!(await answered(200))) throw new Error('the new token does not work');
  await tab.press('I have stored the token');
  await tab.field('Token').waitFor({ state: 'detached' });
  await assertForgotten(tab, token);
  await tab.press('Revoke Nightly export');
  await tab.press('Revoke the token');
  await tab.page.getByRole('table').first().waitFor({ state: 'detached' });
  if (!(await answered(401))) throw new Error('the revoked token works');
});

story('a token that the browser refuses to copy is selected instead', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const tab = await (await visitor()).openConsole(owner, '/console/tokens');
  await tab.page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
  await tab.press('Create a token');
  await tab.fill('Name', 'Nightly export');
  await tab.page.getByRole('dialog').getByRole('checkbox').first().check();
  await tab.press('Create the token');
  await tab.press('Copy');
  await tab.sees('The browser does not allow copying here. Copy the text by hand.');
  const selected = await tab.page.evaluate(() => document.getSelection().toString());
  if (selected !== (await tab.field('Token').inputValue())) throw new Error('the token is not selected');
  await tab.press('I have stored the token');
});
