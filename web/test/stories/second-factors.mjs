// Second factors of portal users: at sign-in, and in the account.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { scan, storeCodes } from '../support/factors.mjs';
import { assertTabOrder, tabTo, waitForFocus } from '../support/keyboard.mjs';
import { pageStory, story } from '../support/story.mjs';
import { PASSWORD } from '../support/world.mjs';

const APP_CODE = 'Code of the authenticator app';
const FIRST_CODE = 'First code of the app';
const PAGE = '/portal/account/second-factors';

/** Signs in with the password, and waits for the second step. */
async function passFirstStep(tab, email, path = '/portal/sign-in') {
  await tab.open(path);
  await tab.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await tab.shows('Confirm the sign-in');
}

story('a person turns second factors on with the QR code, and signs in with a code and with a recovery code', async ({ world, visitor }) => {
  const email = await world.person();
  const tab = await (await visitor()).openSignedIn(email, PAGE);
  await tab.shows('Second factors');
  await tab.press('Set up authenticator app');
  const app = await scan(tab);
  await tab.send({ [FIRST_CODE]: app.wrongCode() }, 'Confirm the code');
  await tab.sees('This code is not correct.');
  await tab.send({ [FIRST_CODE]: await app.code() }, 'Confirm the code');
  const codes = await storeCodes(tab);
  await tab.sees('Second factors are on.');
  await tab.sees('10 are left');

  const other = await (await visitor()).open('about:blank');
  await passFirstStep(other, email, '/portal/sign-in?return_to=/portal/account');
  await other.send({ [APP_CODE]: app.wrongCode() }, 'Sign in');
  await other.sees('This code is not correct, or it was already used.');
  await other.send({ [APP_CODE]: await app.code() }, 'Sign in');
  await other.shows('Profile');

  const third = await (await visitor()).open('about:blank');
  await passFirstStep(third, email);
  await third.press('Use a recovery code instead');
  await third.send({ 'Recovery code': codes[0].toLowerCase().replaceAll('-', ' ') }, 'Sign in');
  await third.shows('Welcome, Ann Archer');
  await third.open(PAGE);
  await third.sees('9 are left');
});

story('a trusted device is not asked again, until it is removed', async ({ world, visitor }) => {
  const email = await world.person();
  const { app } = await world.addFactor(email);
  const tab = await (await visitor()).open('about:blank');
  await passFirstStep(tab, email);
  await tab.page.getByLabel('Do not ask again in this browser for 30 days').check();
  await tab.send({ [APP_CODE]: await app.code() }, 'Sign in');
  await tab.shows('Welcome, Ann Archer');
  await tab.signOut();
  await tab.shows('You have signed out');
  await tab.open('/portal/sign-in');
  await tab.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await tab.shows('Welcome, Ann Archer');
  await tab.open(PAGE);
  await tab.page.getByRole('table', { name: 'Trusted devices' }).getByRole('button', { name: /^Remove / }).click();
  await tab.sees('The device is removed.');
  await tab.sees('There is no trusted device.');
  await tab.signOut();
  await tab.shows('You have signed out');
  await passFirstStep(tab, email);
});

story('a person replaces recovery codes and app, and turns second factors off, each with a fresh proof', async ({ world, visitor }) => {
  const email = await world.person();
  const { app, codes } = await world.addFactor(email);
  const tab = await (await visitor()).open('about:blank');
  await passFirstStep(tab, email);
  await tab.send({ [APP_CODE]: await app.code() }, 'Sign in');
  await tab.shows('Welcome, Ann Archer');
  await tab.open(PAGE);
  await tab.press('Make new codes');
  await tab.confirm('Make new codes');
  const newer = await storeCodes(tab);
  await tab.sees('You have new recovery codes.');
  assert.deepEqual(newer.filter((code) => codes.includes(code)), []);

  await world.makePersonStale(email);
  await tab.press('Replace authenticator app');
  await tab.press('Use a recovery code instead');
  await tab.send({ 'Recovery code': codes[0] }, 'Confirm');
  await tab.sees('This recovery code is not correct');
  await tab.send({ 'Recovery code': newer[0] }, 'Confirm');
  const next = await scan(tab);
  await tab.send({ [FIRST_CODE]: await next.code() }, 'Confirm the code');
  await storeCodes(tab);
  await tab.sees('The new authenticator app is set up.');

  await world.makePersonStale(email);
  await tab.press('Turn off');
  await tab.confirm('Turn off second factors');
  await tab.send({ [APP_CODE]: await next.code() }, 'Confirm');
  await tab.sees('Second factors are off.');
  await tab.signOut();
  await tab.shows('You have signed out');
  await tab.open('/portal/sign-in');
  await tab.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await tab.shows('Welcome, Ann Archer');
});

story('a person whose company requires a second factor sets it up while they sign in', async ({ world, visitor }) => {
  const { slug, owner } = await world.tenant();
  const email = await world.person({ client: await world.client('Acme Ltd', owner), staff: owner });
  await world.setPolicy(slug, { mfa: { portal: 'all', grace_days: 0 } });
  const tab = await (await visitor()).open('/portal/sign-in?return_to=/portal/account');
  await tab.send({ 'Email address': email, Password: PASSWORD }, 'Sign in');
  await tab.shows('Set up a second factor');
  await tab.press('Send the code');
  await tab.send({ 'Code from the mail': await world.code(email) }, 'Continue');
  const app = await scan(tab);
  await tab.send({ [FIRST_CODE]: await app.code() }, 'Confirm the code');
  await tab.shows('Store your recovery codes');
  await storeCodes(tab);
  await tab.shows('Profile');
  await tab.open(PAGE);
  await tab.sees('The company requires a second factor, so it cannot be turned off.');
  assert.equal(await tab.page.getByRole('button', { name: 'Turn off' }).count(), 0);
});

story('a new person of a company that requires a second factor sets it up while they activate their account', async ({ world, visitor }) => {
  const { slug, owner } = await world.tenant();
  const email = await world.invite({ client: await world.client('Acme Ltd', owner), staff: owner });
  await world.setPolicy(slug, { mfa: { portal: 'all', grace_days: 0 } });
  const tab = await (await visitor()).open((await world.link(email, 'activate')).url);
  await tab.send({ 'New password': PASSWORD }, 'Activate the account');
  await tab.shows('Set up a second factor');
  await tab.press('Set up authenticator app');
  const app = await scan(tab);
  await tab.send({ [FIRST_CODE]: await app.code() }, 'Confirm the code');
  await tab.shows('Store your recovery codes');
  await storeCodes(tab);
  await tab.shows('Welcome, Ann Archer');
});

story('a person is told until when a second factor is due, and sets it up in the session once it is', async ({ world, visitor }) => {
  const { slug, owner } = await world.tenant();
  const email = await world.person({ client: await world.client('Acme Ltd', owner), staff: owner });
  const tab = await (await visitor()).openSignedIn(email);
  await tab.shows('Welcome, Ann Archer');
  await world.setPolicy(slug, { mfa: { portal: 'all', grace_days: 7 } });
  await tab.page.reload();
  await tab.sees('The company requires a second factor. Set one up by');
  await world.setPolicy(slug, { mfa: { portal: 'all', grace_days: 0 } });
  await world.makePersonStale(email);
  await tab.follow('Account');
  await tab.follow('Devices');
  await tab.shows('A second factor is required');
  await tab.press('Set up authenticator app');
  await tab.page.getByRole('dialog').getByLabel('Password', { exact: true }).fill(PASSWORD);
  await tab.confirm('Confirm');
  const app = await scan(tab);
  await tab.send({ [FIRST_CODE]: await app.code() }, 'Confirm the code');
  await tab.shows('Store your recovery codes');
  await storeCodes(tab);
  await tab.shows('Devices');
  await tab.isAt('/portal/account/sessions');
});

story('a person with a second factor changes the password with a fresh proof', async ({ world, visitor }) => {
  const email = await world.person();
  const { app } = await world.addFactor(email);
  const tab = await (await visitor()).open('about:blank');
  await passFirstStep(tab, email, '/portal/sign-in?return_to=/portal/account/password');
  await tab.send({ [APP_CODE]: await app.code() }, 'Sign in');
  await tab.shows('Password');
  await world.makePersonStale(email);
  await tab.send({ 'Current password': PASSWORD, 'New password': 'violin-harbour-93' }, 'Change the password');
  await tab.page.getByRole('dialog').getByLabel(APP_CODE).fill(await app.code());
  await tab.confirm('Confirm');
  await tab.sees('Your password is changed.');
});

story('a sign-in is cancelled at its second step, and ends after five wrong codes', async ({ world, visitor }) => {
  const email = await world.person();
  const { app } = await world.addFactor(email);
  const tab = await (await visitor()).open('about:blank');
  await passFirstStep(tab, email);
  const stored = await tab.page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }) + location.href);
  assert.doesNotMatch(stored, /challenge/);
  await tab.press('Cancel');
  await tab.shows('Sign in');
  await tab.holds('Email address', email);
  await tab.send({ Password: PASSWORD }, 'Sign in');
  await tab.shows('Confirm the sign-in');
  for (let times = 0; times < 5; times += 1) {
    await tab.send({ [APP_CODE]: app.wrongCode() }, 'Sign in');
    await tab.page.locator('.p-field-problem, .p-notice-warning').waitFor();
    await tab.page.waitForFunction(() => !document.querySelector('.p-spinner'));
  }
  await tab.sees('A wrong code was entered too often');
  await tab.press('Sign in again');
  await tab.shows('Sign in');
});

pageStory('recovery codes are copied, saved as a file and printed alone, and the page asks before it is left', async ({ world, visitor }) => {
  const ann = await visitor({ permissions: ['clipboard-read', 'clipboard-write'] });
  const tab = await ann.openSignedIn(await world.person(), PAGE);
  await tab.press('Set up authenticator app');
  const app = await scan(tab);
  await tab.send({ [FIRST_CODE]: await app.code() }, 'Confirm the code');
  const list = tab.page.getByRole('region', { name: 'Recovery codes', exact: true });
  await list.waitFor();
  const codes = await list.locator('code').allInnerTexts();
  await tab.press('Copy the codes');
  await tab.sees('Copied.');
  assert.deepEqual((await tab.page.evaluate(() => navigator.clipboard.readText())).split('\n'), codes);
  const [download] = await Promise.all([tab.page.waitForEvent('download'), tab.press('Download as text')]);
  assert.equal(download.suggestedFilename(), 'recovery-codes.txt');
  const text = await readFile(await download.path(), 'utf8');
  assert.ok(codes.every((code) => text.includes(code)), text);
  await tab.page.emulateMedia({ media: 'print' });
  const printed = await tab.page.evaluate(() => document.body.innerText.split('\n').filter(Boolean));
  const isVisible = (text) => tab.page.getByText(text, { exact: true }).first().isVisible();
  assert.equal(await isVisible(codes[9]), true, printed.join());
  assert.equal(await isVisible('I have stored these codes'), false);
  assert.equal(await isVisible('Store your recovery codes'), false);
  await tab.page.emulateMedia({ media: 'screen' });
  const questions = [];
  tab.page.on('dialog', (dialog) => {
    questions.push(dialog.message());
    return dialog.dismiss();
  });
  await tab.follow('Home');
  assert.deepEqual(questions, ['Leave without the codes? They are not shown again.']);
  await tab.page.getByLabel('I have stored these codes').check();
  await tab.press('Continue');
  await tab.sees('Second factors are on.');
});

pageStory('a sign-in whose time is over says so, and begins again', async ({ world, visitor }) => {
  const email = await world.person();
  await world.addFactor(email);
  const tab = await (await visitor()).open('about:blank');
  await tab.page.clock.install();
  await passFirstStep(tab, email);
  await tab.page.clock.fastForward('06:00');
  await tab.page.getByRole('status').getByText('The time for this sign-in is over').waitFor();
  await waitForFocus(tab.button('Sign in again'));
  await tab.page.keyboard.press('Enter');
  await tab.shows('Sign in');
});

pageStory('a person passes the second step by keyboard alone', async ({ world, visitor }) => {
  const email = await world.person();
  const { app } = await world.addFactor(email);
  const tab = await (await visitor()).open('about:blank');
  await passFirstStep(tab, email);
  const { keyboard } = tab.page;
  await waitForFocus(tab.page.getByRole('heading', { level: 1 }));
  await assertTabOrder(tab, [APP_CODE, 'Do not ask again', 'Sign in', 'Cancel', 'Use a recovery code instead', 'Language']);
  await tabTo(tab, 'textbox', APP_CODE);
  await keyboard.type(app.wrongCode());
  await keyboard.press('Enter');
  await tab.sees('This code is not correct, or it was already used.');
  await waitForFocus(tab.field(APP_CODE));
  await tabTo(tab, 'button', 'Use a recovery code instead');
  await keyboard.press('Enter');
  await waitForFocus(tab.field('Recovery code'));
  await tabTo(tab, 'button', 'Use the authenticator app instead');
  await keyboard.press('Enter');
  await waitForFocus(tab.field(APP_CODE));
  await keyboard.type(await app.code());
  await keyboard.press('Enter');
  await tab.shows('Welcome, Ann Archer');
});
