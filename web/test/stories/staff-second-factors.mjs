// Second factors of staff users: at sign-in, in the account, and before a change that needs a fresh proof.
import assert from 'node:assert/strict';
import { scan, storeCodes } from '../support/factors.mjs';
import { story } from '../support/story.mjs';

const APP_CODE = 'Code of the authenticator app';
const FIRST_CODE = 'First code of the app';

/** Signs in with a mailed code, and waits for the second step. */
async function passFirstStep(tab, world, email, { title = 'Confirm the sign-in', path = '/console/sign-in' } = {}) {
  await tab.open(path);
  await tab.send({ 'Email address': email }, 'Send the code');
  await tab.shows('Enter the code');
  await tab.send({ Code: await world.code(email) }, 'Sign in');
  await tab.shows(title);
}

story('a staff user turns second factors on, signs in with one, and turns them off', async ({ world, visitor }) => {
  const email = await world.staff('viewer');
  const tab = await (await visitor()).openConsole(email, '/console/account');
  await tab.shows('My account');
  await tab.press('Set up authenticator app');
  const app = await scan(tab);
  await tab.send({ [FIRST_CODE]: await app.code() }, 'Confirm the code');
  const codes = await storeCodes(tab);
  await tab.sees('Second factors are on.');
  await tab.misses('Trusted devices');
  await tab.signOut();
  await tab.shows('Sign in to the console');

  await passFirstStep(tab, world, email);
  await tab.misses('Do not ask again in this browser');
  await tab.press('Cancel');
  await tab.shows('Sign in to the console');
  await passFirstStep(tab, world, email);
  await tab.send({ [APP_CODE]: app.wrongCode() }, 'Sign in');
  await tab.sees('This code is not correct, or it was already used.');
  await tab.send({ [APP_CODE]: await app.code() }, 'Sign in');
  await tab.shows('Overview');

  await world.makeStale(email);
  await tab.open('/console/account');
  await tab.press('Turn off');
  await tab.confirm('Turn off second factors');
  await tab.press('Use a recovery code instead');
  await tab.send({ 'Recovery code': codes[0] }, 'Confirm');
  await tab.sees('Second factors are off.');
});

story('a staff user with a second factor confirms a change with it, and no code is mailed', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const { app } = await world.addStaffFactor(owner);
  const tab = await (await visitor()).open('about:blank');
  await passFirstStep(tab, world, owner, { path: '/console/sign-in?return_to=/console/staff' });
  await tab.send({ [APP_CODE]: await app.code() }, 'Sign in');
  await tab.shows('Staff');
  await world.makeStale(owner);
  const codesSent = async () => (await world.mails(owner)).filter((mail) => mail.code).length;
  const sentBefore = await codesSent();
  const email = world.address('viewer');
  await tab.press('Invite a person');
  await tab.send({ 'Email address': email }, 'Send the invitation');
  await tab.page.getByRole('dialog').getByLabel(APP_CODE).fill(await app.code());
  await tab.press('Confirm');
  await tab.sees(`A mail to ${email} is on its way.`);
  assert.equal(await codesSent(), sentBefore);
});

story('a staff user whose company requires a second factor sets it up while they sign in', async ({ world, visitor }) => {
  const { slug } = await world.tenant();
  const email = await world.staff('viewer', { tenant: slug });
  await world.setPolicy(slug, { mfa: { staff: 'all', grace_days: 0 } });
  const tab = await (await visitor()).open('about:blank');
  await passFirstStep(tab, world, email, { title: 'Set up a second factor' });
  await tab.press('Set up authenticator app');
  const app = await scan(tab);
  await tab.send({ [FIRST_CODE]: await app.code() }, 'Confirm the code');
  await tab.shows('Store your recovery codes');
  await storeCodes(tab);
  await tab.shows('Overview');
});

story('a staff user is told until when a second factor is due, and sets it up in the session once it is', async ({ world, visitor }) => {
  const { slug } = await world.tenant();
  const email = await world.staff('viewer', { tenant: slug });
  await world.setPolicy(slug, { mfa: { staff: 'all', grace_days: 7 } });
  const tab = await (await visitor()).openConsole(email, '/console/clients?q=acme');
  await tab.shows('Clients');
  await tab.sees('The company requires a second factor. Set one up by');
  await world.setPolicy(slug, { mfa: { staff: 'all', grace_days: 0 } });
  await tab.page.reload();
  await tab.shows('A second factor is required');
  await tab.press('Set up authenticator app');
  const app = await scan(tab);
  await tab.send({ [FIRST_CODE]: await app.code() }, 'Confirm the code');
  await tab.shows('Store your recovery codes');
  await storeCodes(tab);
  await tab.shows('Clients');
  await tab.isAt('/console/clients?q=acme');
});
