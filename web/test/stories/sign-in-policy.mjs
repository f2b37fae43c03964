// The sign-in policy of a company, in the console.
import { scan, storeCodes } from '../support/factors.mjs';
import { story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

story('an owner requires second factors, with a fresh code, and the next sign-in sets one up', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const email = await world.person({ client: await world.client('Acme Ltd', owner), staff: owner });
  const tab = await (await visitor()).openConsole(owner, '/console/sign-in-policy');
  await tab.shows('Sign-in policy');
  await world.makeStale(owner);
  await tab.page.getByLabel('Required in the portal').selectOption('All people');
  await tab.fill('Grace period in days', '0');
  await tab.press('Save the policy');
  await tab.send({ Code: await world.code(owner) }, 'Confirm');
  await tab.sees('The sign-in policy is saved.');
  await tab.page.reload();
  await tab.holds('Grace period in days', '0');

  const ann = await (await visitor()).open('/portal/sign-in');
  await ann.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await ann.shows('Set up a second factor');
});

story('an owner who requires a second factor at once sets up their own before they go on', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const tab = await (await visitor()).openConsole(owner, '/console/sign-in-policy');
  await tab.shows('Sign-in policy');
  await tab.page.getByLabel('Required in the console').selectOption('Administrators');
  await tab.fill('Grace period in days', '0');
  await tab.press('Save the policy');
  await tab.shows('A second factor is required');
  await tab.press('Set up authenticator app');
  const app = await scan(tab);
  await tab.send({ 'First code of the app': await app.code() }, 'Confirm the code');
  await tab.shows('Store your recovery codes');
  await storeCodes(tab);
  await tab.shows('Sign-in policy');
});

story('an owner is told which value of the policy is not valid', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const tab = await (await visitor()).openConsole(owner, '/console/sign-in-policy');
  await tab.shows('Sign-in policy');
  await tab.fill('Grace period in days', '91');
  await tab.press('Save the policy');
  await tab.sees('This value is not valid.');
  await tab.fill('Grace period in days', '7');
  for (const method of ['Password', 'Passkey', 'Account at an identity provider']) await tab.page.getByLabel(method).uncheck();
  await tab.press('Save the policy');
  await tab.sees('At least one way to sign in is needed.');
});
