import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.mjs';
import { story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

/** Presses Tab until the focus is on the control with this name. Each control on the way must show its focus. */
async function tabTo(tab, role, name) {
  const target = role === 'textbox' ? tab.field(name) : tab.page.getByRole(role, { name, exact: typeof name === 'string' }).first();
  await target.waitFor();
  for (let presses = 0; presses < 60; presses += 1) {
    await tab.page.keyboard.press('Tab');
    // Behind the last control, the focus leaves the page and comes back at its beginning.
    const isMarked = () => document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== 'none';
    assert.ok(await tab.page.evaluate(isMarked), 'the control with the focus is not marked');
    if (await target.evaluate((element) => element === document.activeElement)) return;
  }
  assert.fail(`no way to ${name} by keyboard`);
}

/** Asserts that Tab leads to controls with these names, in this order. */
async function assertTabOrder(tab, names) {
  for (const name of names) {
    await tab.page.keyboard.press('Tab');
    const focused = await tab.page.evaluate(() => {
      const { ariaLabel, labels, textContent } = document.activeElement;
      return (ariaLabel ?? labels?.[0]?.textContent ?? textContent).trim();
    });
    assert.ok(focused.startsWith(name), `Tab leads to ${focused}, and not to ${name}`);
  }
}

const hasFocus = (locator) => locator.evaluate((element) => element === document.activeElement);

/** Asserts that an element has the focus. */
const assertFocus = async (locator, what) => assert.ok(await hasFocus(locator), what);

story('a person signs in and changes the language by keyboard alone', async ({ world, visitor }) => {
  const email = await world.person();
  const tab = await (await visitor()).open('/portal/sign-in');
  await tab.shows('Sign in');
  const { keyboard } = tab.page;
  await assertTabOrder(tab, ['Email address', 'Password', 'Show password', 'Sign in', 'Forgot your password?', 'Language']);
  await tab.page.reload();
  await tab.shows('Sign in');
  await tabTo(tab, 'textbox', 'Email address');
  await keyboard.type(email);
  await tabTo(tab, 'textbox', 'Password');
  await keyboard.type('not-my-password');
  await keyboard.press('Enter');
  await tab.sees('The email address or the password is not correct.');
  await tabTo(tab, 'textbox', 'Password');
  await keyboard.press('Control+A');
  await keyboard.type(PASSWORD);
  await keyboard.press('Enter');
  await tab.shows('Welcome, Ann Archer');
  await tabTo(tab, 'link', /^Profile and language/);
  await keyboard.press('Enter');
  await tab.shows('Profile');
  await assertFocus(tab.page.getByRole('heading', { level: 1 }), 'the focus moves to the heading');
  await tabTo(tab, 'combobox', /^Language/);
  await keyboard.type('Fran');
  await keyboard.press('Tab');
  await keyboard.press('Enter');
  await tab.shows('Profil');
});

story('a person asks for a new password, sets it and chooses a language by keyboard alone', async ({ world, visitor }) => {
  const email = await world.invite();
  const tab = await (await visitor()).open((await world.link(email, 'activate')).url);
  await tab.shows('Activate your account');
  const { keyboard } = tab.page;
  await assertTabOrder(tab, ['Your name', 'New password', 'Show password', 'Activate the account', 'Language']);
  await tabTo(tab, 'textbox', 'New password');
  await keyboard.type('short');
  await keyboard.press('Enter');
  await tab.sees('The password is too short.');
  await assertFocus(tab.field('New password'), 'the focus moves to the field that is wrong');
  await keyboard.press('Control+A');
  await keyboard.type(PASSWORD);
  await keyboard.press('Enter');
  await tab.shows('Welcome, Ann Archer');

  await tab.open('/portal/forgot-password');
  await tab.shows('Forgot your password?');
  await assertTabOrder(tab, ['Email address', 'Send the link', 'Back to sign-in', 'Language']);
  await keyboard.type('Esp');
  await tab.shows('¿Ha olvidado su contraseña?');
  await tabTo(tab, 'textbox', 'Correo electrónico');
  await keyboard.type(email);
  await keyboard.press('Enter');
  await tab.shows('Revise su correo');
  await tab.open((await world.link(email, 'reset-password')).url);
  await tabTo(tab, 'textbox', 'Contraseña nueva');
  await keyboard.type('violin-harbour-93');
  await tabTo(tab, 'button', 'Establecer la contraseña');
  await keyboard.press('Enter');
  await tab.shows('Iniciar sesión');
});

story('on a phone, a person skips to the content, and opens and leaves the menu by keyboard alone', async ({ world, visitor }) => {
  const tab = await (await visitor({ viewport: { width: 390, height: 844 } })).openSignedIn(await world.person());
  await tab.shows('Welcome, Ann Archer');
  const { keyboard } = tab.page;
  await tabTo(tab, 'link', 'Skip to content');
  await keyboard.press('Enter');
  await assertFocus(tab.page.getByRole('main'), 'the focus moves to the content');
  await keyboard.press('Tab');
  await assertFocus(tab.page.getByRole('main').getByRole('link').first(), 'the next control is one of the content');
  await tab.page.reload();
  await tab.shows('Welcome, Ann Archer');
  const menu = tab.button(/^Account of/);
  await tabTo(tab, 'button', /^Account of/);
  await keyboard.press('Enter');
  await tabTo(tab, 'button', 'Sign out');
  await keyboard.press('Escape');
  await assertFocus(menu, 'the focus returns to the button of the menu');
  await tab.page.getByRole('button', { name: 'Sign out' }).waitFor({ state: 'hidden' });
  await keyboard.press('Enter');
  await tabTo(tab, 'button', 'Sign out');
  await keyboard.press('Enter');
  await tab.shows('You have signed out');
});

story('an administrator ends a session and changes a colleague by keyboard alone, and the focus returns', async ({ world, visitor }) => {
  const client = await world.client('Acme Ltd');
  await world.person({ client, name: 'Ben Other' });
  const email = await world.person({ client, role: 'admin' });
  const tab = await (await visitor()).openSignedIn(email, '/portal/colleagues');
  await tab.sees('Ben Other');
  const { keyboard } = tab.page;
  const [menu, dialog] = [tab.button('Actions for Ben Other'), tab.page.getByRole('dialog')];
  await tabTo(tab, 'button', 'Actions for Ben Other');
  await keyboard.press('Enter');
  await tabTo(tab, 'button', 'Make administrator');
  await keyboard.press('Enter');
  await dialog.waitFor();
  await keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await assertFocus(menu, 'the focus returns to the button of the menu');
  await keyboard.press('Enter');
  await tabTo(tab, 'button', 'Make administrator');
  await keyboard.press('Enter');
  await dialog.waitFor();
  await tabTo(tab, 'button', 'Make administrator');
  await keyboard.press('Enter');
  await tab.sees('The role of Ben Other is changed.');
  await assertFocus(menu, 'the focus returns after the act');

  await (await visitor()).openSignedIn(email);
  await tab.open('/portal/account/sessions');
  await tab.shows('Devices');
  await tabTo(tab, 'button', 'End all other sessions');
  await keyboard.press('Enter');
  await dialog.waitFor();
  await keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await assertFocus(tab.button('End all other sessions'), 'the focus returns to the button');
  await tabTo(tab, 'button', /^End session on/);
  await keyboard.press('Enter');
  await tab.sees('The session has ended.');
  await eventually('the focus moves to the content', () => hasFocus(tab.page.getByRole('main')));
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
