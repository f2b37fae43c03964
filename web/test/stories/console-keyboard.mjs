import assert from 'node:assert/strict';
import { tabTo, waitForFocus } from '../support/keyboard.mjs';
import { beginLogin } from '../support/remote.mjs';
import { pageStory } from '../support/story.mjs';

pageStory('the menu of a row and the dialog that it opens are used by keyboard alone', async ({ world, visitor }) => {
  const client = await world.client('Acme Ltd');
  await world.person({ client });
  const tab = await (await visitor()).openConsole(await world.staff('owner'), `/console/clients/${client.id}`);
  await tab.sees('Ann Archer');
  const { keyboard } = tab.page;
  const menu = tab.button('Actions for Ann Archer');
  await tabTo(tab, 'button', 'Actions for Ann Archer');
  await keyboard.press('Enter');
  await tabTo(tab, 'button', 'Disable');
  await keyboard.press('Escape');
  await waitForFocus(menu);
  await keyboard.press('Enter');
  await tabTo(tab, 'button', 'Disable');
  await keyboard.press('Enter');
  const dialog = tab.page.getByRole('dialog');
  await dialog.waitFor();
  await keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await waitForFocus(menu);
  await keyboard.press('Enter');
  await tabTo(tab, 'button', 'Disable');
  await keyboard.press('Space');
  await tabTo(tab, 'button', 'Disable the access');
  await keyboard.press('Enter');
  await tab.sees('The access of Ann Archer is disabled.');
  await waitForFocus(menu);
});

pageStory('filters, further rows and the choice of a time are used by keyboard alone', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  for (let index = 0; index < 30; index += 1) await world.client(`Client ${String(index).padStart(2, '0')}`, owner);
  const tab = await (await visitor()).openConsole(owner, '/console/clients');
  await tab.sees(/^Client \d\d$/);
  assert.equal(await tab.page.locator('tbody tr').count(), 25);
  const { keyboard } = tab.page;
  await tabTo(tab, 'button', 'Show more');
  await keyboard.press('Enter');
  await tab.button('Show more').waitFor({ state: 'detached' });
  assert.equal(await tab.page.locator('tbody tr').count(), 30);
  // The button has gone. The keyboard goes on from its place.
  await keyboard.press('Shift+Tab');
  await waitForFocus(tab.page.locator('tbody tr').last().getByRole('link'));
  await tab.field('Search').focus();
  await keyboard.type('Client 07');
  await tab.isAt(/q=Client\+07/);
  await tab.page.getByRole('row', { name: 'Client 08' }).waitFor({ state: 'detached' });
  await tabTo(tab, 'combobox', 'Status');
  await keyboard.type('Arch');
  await tab.isAt(/status=archived/);
  await tab.sees('Nothing matches the filters.');
  await tabTo(tab, 'button', 'Clear filters');
  await keyboard.press('Enter');
  await tab.isAt('/console/clients');
  await tab.holds('Search', '');
});

pageStory('a code signs in by keyboard alone, after another address and a wrong code', async ({ world, visitor }) => {
  const email = await world.staff('viewer');
  const tab = await (await visitor()).open('/console/sign-in');
  const { keyboard } = tab.page;
  await waitForFocus(tab.field('Email address'));
  await keyboard.type(world.address('other'));
  await keyboard.press('Enter');
  await tab.shows('Enter the code');
  await tabTo(tab, 'button', 'Use another address');
  await keyboard.press('Enter');
  await waitForFocus(tab.page.getByRole('heading', { name: 'Sign in to the console' }));
  await tabTo(tab, 'textbox', 'Email address');
  await keyboard.type(email);
  await keyboard.press('Enter');
  await waitForFocus(tab.field('Code'));
  const code = await world.code(email);
  await keyboard.type(code === '000000' ? '000001' : '000000');
  await keyboard.press('Enter');
  await tab.sees('The code is not correct. You have 4 tries left.');
  // The wrong code is selected, so the right one replaces it.
  await waitForFocus(tab.field('Code'));
  await keyboard.type(code);
  await keyboard.press('Enter');
  await tab.shows('Overview');
});

pageStory('the login of a program is approved by keyboard alone', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const { login, address, host, remove } = await beginLogin(world);
  const tab = await (await visitor()).openConsole(owner, address);
  tab.expectHost(host);
  await tab.shows('Approve the login of a program');
  const { keyboard } = tab.page;
  await tabTo(tab, 'button', 'Approve the login');
  await keyboard.press('Enter');
  await waitForFocus(tab.field('Code'));
  await keyboard.press('Escape');
  await tab.page.getByRole('dialog').waitFor({ state: 'detached' });
  await waitForFocus(tab.button('Approve the login'));
  await keyboard.press('Enter');
  await waitForFocus(tab.field('Code'));
  await keyboard.type(await world.code(owner));
  await keyboard.press('Enter');
  await login.logged('the command is logged in', /(Logged in to .*)/);
  await tab.sees('You are logged in.');
  await remove();
});
