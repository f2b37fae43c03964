import { story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

story('sign-in says that a password is wrong, and leads to the start page with the right one', async ({ world, visitor }) => {
  const email = await world.person();
  const tab = await (await visitor()).open('/portal/sign-in');
  await tab.send({ 'Email address': email, Password: 'not-my-password' }, 'Sign in');
  await tab.sees('The email address or the password is not correct.');
  await tab.send({ Password: PASSWORD }, 'Sign in');
  await tab.shows('Welcome, Ann Archer');
  await tab.isAt('/portal');
});
