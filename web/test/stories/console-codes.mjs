import assert from 'node:assert/strict';
import { waitForFocus } from '../support/keyboard.mjs';
import { pageStory } from '../support/story.mjs';

/** Moves the clock of a tab past the end of its code, and waits until the tab announces that (WCAG 2.2.1). */
async function letCodeExpire(tab) {
  await tab.page.clock.fastForward('10:00');
  await tab.page.getByRole('status').getByText('The code has expired').waitFor();
  await waitForFocus(tab.button('Send a new code'));
}

pageStory('a sign-in code that expires is announced, and one button replaces it', async ({ world, visitor }) => {
  const email = await world.staff('viewer');
  const tab = await (await visitor()).open('/console/sign-in');
  await tab.page.clock.install();
  await tab.send({ 'Email address': email }, 'Send the code');
  await tab.shows('Enter the code');
  const old = await world.code(email);
  await letCodeExpire(tab);
  await tab.page.keyboard.press('Enter');
  const code = await world.code(email);
  if (old !== code) {
    await tab.send({ Code: old }, 'Sign in');
    await tab.sees('The code is not correct.');
  }
  await tab.send({ Code: code }, 'Sign in');
  await tab.shows('Overview');
});

pageStory('a code that expires in a dialog is replaced, and the change below it is not typed again', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const email = world.address('viewer');
  const tab = await (await visitor()).openConsole(owner, '/console/staff');
  await tab.shows('Staff');
  await world.makeStale(owner);
  await tab.page.clock.install();
  await tab.press('Invite a person');
  await tab.send({ 'Email address': email, 'Name (optional)': 'Vera Viewer' }, 'Send the invitation');
  await world.code(owner);
  await letCodeExpire(tab);
  await tab.press('Send a new code');
  await tab.send({ Code: await world.code(owner) }, 'Confirm');
  await tab.sees(`A mail to ${email} is on its way.`);
  await tab.page.getByRole('row', { name: 'Vera Viewer' }).waitFor();
});

pageStory('a dialog that asks for a code survives a reload without a second mail', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const tab = await (await visitor()).openConsole(owner, '/console/staff');
  await tab.shows('Staff');
  await world.makeStale(owner);
  const invite = async () => {
    await tab.press('Invite a person');
    await tab.send({ 'Email address': world.address('viewer') }, 'Send the invitation');
    await tab.field('Code').waitFor();
  };
  await invite();
  const code = await world.code(owner);
  const codesSent = async () => (await world.mails(owner)).filter((mail) => mail.code).length;
  const sentBefore = await codesSent();
  await tab.page.reload();
  await tab.shows('Staff');
  assert.equal(await tab.page.getByRole('dialog').count(), 0);
  await invite();
  await tab.send({ Code: code }, 'Confirm');
  await tab.sees('is on its way.');
  assert.equal(await codesSent(), sentBefore, 'the kept code was used');
});
