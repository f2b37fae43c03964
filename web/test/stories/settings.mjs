import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { story } from '../support/story.mjs';

/** A tenant, and its owner on a page of the console. */
async function ownerAt(path, { world, visitor }) {
  const { owner } = await world.tenant('Pine & Partners');
  return { owner, tab: await (await visitor()).openConsole(owner, path) };
}

story('a colour that cannot be read is refused, and the nearest one that can is one click away', async (told) => {
  const { tab } = await ownerAt('/console/branding', told);
  await tab.fill('Accent, light', '#ff0000');
  await tab.sees('Contrast 3.7. At least 4.5 is needed.');
  await tab.press('Save the branding');
  await tab.sees('This colour is too close to the background');
  await tab.press('Use #e50000');
  await tab.press('Save the branding');
  await tab.sees('The branding is saved.');
  const accent = () => getComputedStyle(document.documentElement).getPropertyValue('--portico-accent').includes('#e50000');
  await tab.page.waitForFunction(accent);
});

story('an owner whose session is not fresh saves the branding with a code', async (told) => {
  const { owner, tab } = await ownerAt('/console/branding', told);
  await told.world.makeStale(owner);
  await tab.fill('Accent, light', '#7a1f5c');
  await tab.press('Save the branding');
  await tab.send({ Code: await told.world.code(owner) }, 'Confirm');
  await tab.sees('The branding is saved.');
});

story('the preview shows the values of the form, which are not lost by leaving', async (told) => {
  const { tab } = await ownerAt('/console/branding', told);
  await tab.fill('Name', 'Oak & Sons');
  await tab.page.getByRole('figure', { name: 'Mail' }).getByText('Oak & Sons has invited you to its portal.').waitFor();
  const questions = [];
  tab.page.on('dialog', (dialog) => questions.push(dialog.message()) && dialog.dismiss());
  await tab.follow('Overview');
  await tab.shows('Branding');
  assert.deepEqual(questions, ['Leave without saving the changes?']);
  await tab.press('Discard the changes');
  await tab.follow('Overview');
  await tab.shows('Overview');
});

story('a logo is shown in the console at once, and another file is refused with its reason', async (told) => {
  const { tab } = await ownerAt('/console/branding', told);
  const choose = (name, mimeType, buffer) => tab.page.locator('input[type=file]').setInputFiles({ name, mimeType, buffer });
  await choose('logo.svg', 'image/svg+xml', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'));
  await tab.sees('SVG files can contain programs');
  await choose('logo.png', 'image/png', Buffer.alloc(2 ** 20 + 1));
  await tab.sees('The file has 1.1 MB.');
  await choose('logo.png', 'image/png', Buffer.from('no image'));
  await tab.sees('This image cannot be read.');
  await choose('logo.png', 'image/png', await tab.page.locator('body').screenshot());
  await tab.sees('The logo is saved.');
  await tab.page.getByRole('banner').getByRole('img', { name: 'Pine & Partners' }).waitFor();
});

story('a failed mail is sent again, alone and by a filter', async ({ world, visitor }) => {
  const { owner: staff } = await world.tenant('Pine & Partners');
  const client = await world.client('Acme Ltd', staff);
  const emails = [await world.invite({ client, staff }), await world.invite({ client, staff, email: world.address('ben') })];
  for (const email of emails) await world.link(email, 'activate');
  await world.failMail(emails[0], 'outcome_unknown');
  await world.failMail(emails[1], 'gave_up');
  const tab = await (await visitor()).openConsole(staff, '/console/mail?status=failed');
  await tab.press(`Send again: ${emails[0]}`);
  await tab.sees('The person may get it twice.');
  await tab.confirm('Send again');
  await world.link(emails[0], 'activate');
  await tab.press('Send failed mails again');
  await tab.sees('1 failed mail will be sent again');
  await tab.confirm('Send failed mails again');
  await tab.sees('1 mail is sent again.');
  await world.link(emails[1], 'activate');
});

story('the filters of the mail log are in the address, survive a reload, and the back button undoes them', async ({ world, visitor }) => {
  const { owner: staff } = await world.tenant('Pine & Partners');
  const client = await world.client('Acme Ltd', staff);
  const [ann, ben] = [await world.invite({ client, staff }), await world.invite({ client, staff, email: world.address('ben') })];
  for (const email of [ann, ben]) await world.link(email, 'activate');
  await world.failMail(ann, 'gave_up');
  const tab = await (await visitor()).openConsole(staff, '/console/mail');
  await tab.sees(ben);
  await tab.field('Status').selectOption('failed');
  await tab.isAt('/console/mail?status=failed');
  await tab.page.getByRole('row', { name: ben }).waitFor({ state: 'detached' });
  await tab.fill('Recipient', 'ben');
  await tab.page.keyboard.press('Enter');
  await tab.sees('Enter a whole email address.');
  await tab.fill('Recipient', ben);
  await tab.page.keyboard.press('Enter');
  await tab.sees('Nothing matches the filters.');
  await tab.page.reload();
  await tab.sees('Nothing matches the filters.');
  await tab.holds('Status', 'failed');
  await tab.holds('Recipient', ben);
  await tab.page.goBack();
  await tab.page.getByRole('row', { name: ann }).waitFor();
  await tab.holds('Recipient', '');
});

story('the audit log is filtered by what a detail names, and exported as far as it is filtered', async ({ world, visitor }) => {
  const { owner: staff } = await world.tenant('Pine & Partners');
  const [acme] = [await world.client('Acme Ltd', staff), await world.client('Blue Ltd', staff)];
  const tab = await (await visitor()).openConsole(staff, '/console/audit?action=client.created');
  await tab.page.getByRole('button', { name: /^Details: Created a client/ }).last().click();
  await tab.press('Only this client');
  await tab.isAt(`/console/audit?action=client.created&client_id=${acme.id}`);
  await tab.field('Outcome').selectOption('failure');
  await tab.sees('Nothing matches the filters.');
  await tab.page.reload();
  await tab.sees('Nothing matches the filters.');
  await tab.page.goBack();
  await tab.page.getByRole('row', { name: 'Created a client' }).waitFor();
  const [file] = await Promise.all([tab.page.waitForEvent('download'), tab.press('Export')]);
  await tab.sees('1 event is saved.');
  const lines = (await readFile(await file.path(), 'utf8')).trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual([lines[0].action, lines[0].target.id, lines[1]], ['client.created', acme.id, { end: true, count: 1 }]);
});

story('the audit log tells two clients of the same name apart', async ({ world, visitor }) => {
  const { owner: staff } = await world.tenant('Pine & Partners');
  const [, second] = [await world.client('Acme Ltd', staff), await world.client('Acme Ltd', staff)];
  const tab = await (await visitor()).openConsole(staff, '/console/audit');
  await tab.fill('Client', 'Acme Ltd');
  const labels = tab.page.locator('datalist option');
  await labels.nth(1).waitFor({ state: 'attached' });
  const label = await labels.evaluateAll((options, end) => options.map(({ value }) => value).find((text) => text.endsWith(end)), second.id.slice(-8));
  await tab.fill('Client', label);
  await tab.isAt(`/console/audit?client_id=${second.id}`);
  await tab.page.reload();
  await tab.page.waitForFunction((text) => [...document.querySelectorAll('input')].some(({ value }) => value === text), label);
});

story('an export that was cut off saves nothing', async (told) => {
  const { tab } = await ownerAt('/console/audit', told);
  const body = '{"id":"1"}\n{"id":';
  await tab.page.route('**/export*', (route) => route.fulfill({ contentType: 'application/x-ndjson', body }));
  await tab.press('Export');
  await tab.sees('The export was interrupted, and nothing was saved.');
});
