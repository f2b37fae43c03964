import { story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

const NEW_PASSWORD = 'violin-harbour-93';

story('from the invitation in the console to a colleague who joins', async ({ world, visitor }) => {
  const [email, colleague] = [world.address('clara'), world.address('dora')];
  const { owner } = await world.tenant('Northern Lights');
  const console = await (await visitor()).openConsole(owner, '/console/clients');
  await console.press('New client');
  await console.send({ Name: 'Acme Ltd' }, 'Create the client');
  await console.shows('Acme Ltd');
  await console.press('Invite');
  await console.send({ 'Email address': email, 'Name (optional)': 'Clara Fields' }, 'Send the invitation');
  await console.sees(`A setup link is on its way to ${email}.`);

  const tab = await (await visitor()).open((await world.link(email, 'activate')).url);
  await tab.send({ 'New password': PASSWORD }, 'Activate the account');
  await tab.shows('Welcome, Clara Fields');
  await tab.signOut();
  await tab.follow('Sign in again');
  await tab.follow('Forgot your password?');
  await tab.shows('Forgot your password?');
  await tab.send({ 'Email address': email }, 'Send the link');
  await tab.shows('Check your mailbox');
  await tab.open((await world.link(email, 'reset-password')).url);
  await tab.send({ 'New password': NEW_PASSWORD }, 'Set the password');
  await tab.send({ Password: NEW_PASSWORD }, 'Sign in');
  await tab.shows('Welcome, Clara Fields');

  await console.page.reload();
  await console.act('Clara Fields', 'Make administrator');
  await console.confirm('Make administrator');
  await console.sees('The role of Clara Fields has changed.');
  await tab.page.reload();
  await tab.follow('Colleagues');
  await tab.press('Invite a colleague');
  await tab.send({ 'Email address': colleague, 'Name (optional)': 'Dora Dell' }, 'Send the invitation');
  await tab.sees(`The invitation to ${colleague} is on its way.`);
  const dora = await (await visitor()).open((await world.link(colleague, 'activate')).url);
  await dora.send({ 'Your name': 'Dora Dell', 'New password': PASSWORD }, 'Activate the account');
  await dora.shows('Welcome, Dora Dell');
  await tab.page.reload();
  await tab.sees('Dora Dell');
});
