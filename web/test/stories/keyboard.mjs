import assert from 'node:assert/strict';
import { tabTo } from '../support/keyboard.mjs';
import { story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

story('a person signs in and changes the language by keyboard alone', async ({ world, visitor }) => {
  const email = await world.person();
  const tab = await (await visitor()).open('/portal/sign-in');
  await tab.shows('Sign in');
  const { keyboard } = tab.page;
  await tabTo(tab, 'textbox', 'Email address');
  await keyboard.type(email);
  await tabTo(tab, 'textbox', 'Password');
  await keyboard.type('not-my-password');
  await keyboard.press('Enter');
  await tab.sees('The email address or the password is not correct.');
  await tab.field('Password').focus();
  await keyboard.press('Control+A');
  await keyboard.type(PASSWORD);
  await keyboard.press('Enter');
  await tab.shows('Welcome, Ann Archer');
  await tabTo(tab, 'link', /^Profile and language/);
  await keyboard.press('Enter');
  await tab.shows('Profile');
  assert.equal(await tab.page.evaluate(() => document.activeElement.tagName), 'H1', 'the focus moves to the heading');
});

story('staff invite a person by keyboard alone, and the focus returns to the button', async ({ world, visitor }) => {
  const [client, email] = [await world.client('Acme Ltd'), world.address('keys')];
  const tab = await (await visitor()).openConsole(await world.staff('owner'), `/console/clients/${client.id}`);
  await tab.shows('Acme Ltd');
  const { keyboard } = tab.page;
  await tabTo(tab, 'button', 'Invite');
  await keyboard.press('Enter');
  await tab.page.getByRole('dialog').waitFor();
  await keyboard.press('Escape');
  await tab.page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.ok(await tab.button('Invite').evaluate((element) => element === document.activeElement), 'the focus returns');
  await keyboard.press('Enter');
  await tab.page.getByRole('dialog').waitFor();
  await keyboard.type(email);
  await keyboard.press('Enter');
  await tab.sees(`A setup link is on its way to ${email}.`);
});
