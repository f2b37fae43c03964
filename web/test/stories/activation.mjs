import { story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

story('an invited person chooses a password with the mailed link and is signed in', async ({ world, visitor }) => {
  const email = await world.invite();
  const tab = await (await visitor()).open((await world.link(email, 'activate')).url);
  await tab.shows('Activate your account');
  await tab.sees(email);
  await tab.send({ 'Your name': 'Ann Baker', 'New password': PASSWORD }, 'Activate the account');
  await tab.shows('Welcome, Ann Baker');
});

story('an activation link survives a reload, a return, and a look at another page', async ({ world, visitor }) => {
  const email = await world.invite();
  const tab = await (await visitor()).open('/portal/forgot-password');
  await tab.shows('Forgot your password?');
  await tab.open((await world.link(email, 'activate')).url);
  await tab.shows('Activate your account');
  await tab.page.reload();
  await tab.shows('Activate your account');
  await tab.open('/portal/sign-in');
  await tab.shows('Sign in');
  await tab.page.goBack();
  await tab.shows('Activate your account');
  await tab.send({ 'New password': PASSWORD }, 'Activate the account');
  await tab.shows('Welcome, Ann Archer');
  await tab.page.goBack();
  await tab.shows('Forgot your password?');
  await tab.misses('Activate the account');
});

story('a weak password is refused beside the field, and the link is not spent', async ({ world, visitor }) => {
  const email = await world.invite();
  const tab = await (await visitor()).open((await world.link(email, 'activate')).url);
  await tab.send({ 'New password': 'password' }, 'Activate the account');
  await tab.page.locator('[aria-invalid=true]').waitFor();
  await tab.send({ 'New password': PASSWORD }, 'Activate the account');
  await tab.shows('Welcome, Ann Archer');
});

story('an activation link that was used leads to sign-in, also after the back button', async ({ world, visitor }) => {
  const email = await world.invite();
  const { url, token } = await world.link(email, 'activate');
  const tab = await (await visitor()).open(url);
  await tab.shows('Activate your account');
  await tab.open('/portal/forgot-password');
  await world.activate(token);
  await tab.page.goBack();
  await tab.shows('This link was already used');
  await tab.misses('New password');
  await tab.follow('Sign in');
  await tab.shows('Sign in');
});

story('an activation link that a newer mail replaces, or that is cancelled, says so while its page is open', async ({ world, visitor }) => {
  const email = await world.invite();
  const tab = await (await visitor()).open((await world.link(email, 'activate')).url);
  await tab.shows('Activate your account');
  await world.resendInvitation(email);
  const newer = await world.link(email, 'activate');
  await tab.send({ 'New password': PASSWORD }, 'Activate the account');
  await tab.shows('This link is no longer valid');
  await tab.open(newer.url);
  await tab.shows('Activate your account');
  await world.cancelInvitation(email);
  await tab.page.reload();
  await tab.shows('This link is no longer valid');
  await tab.misses('New password');
});

story('an account is activated once by two tabs with the same link', async ({ world, visitor }) => {
  const email = await world.invite();
  const { url } = await world.link(email, 'activate');
  const ann = await visitor();
  const [tab, other] = [await ann.open(url), await ann.open(url)];
  await other.shows('Activate your account');
  await tab.send({ 'New password': PASSWORD }, 'Activate the account');
  await tab.shows('Welcome, Ann Archer');
  await other.send({ 'New password': 'violin-harbour-93' }, 'Activate the account');
  await other.shows('This link was already used');
});
