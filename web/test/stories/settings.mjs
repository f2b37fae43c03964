import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { story } from '../support/story.mjs';

story('a new name and colour of the company are seen by its people', async ({ world, visitor }) => {
  const { slug, owner } = await world.tenant('Blue Harbour');
  const tab = await (await visitor()).openConsole(owner, '/console/branding');
  await tab.shows('Branding');
  await tab.fill('Name', 'Red Harbour');
  await tab.fill('Accent, light', '#8a1c1c');
  await tab.press('Save the branding');
  await tab.sees('The branding is saved.');
  const ann = await (await visitor()).open(`/portal/sign-in?tenant=${slug}`);
  await ann.sees('Red Harbour');
  await ann.page.waitForFunction(() => getComputedStyle(document.documentElement).getPropertyValue('--portico-accent').includes('#8a1c1c'));
});

story('a colour that nobody could read is refused with the nearest one that works', async ({ world, visitor }) => {
  const { owner } = await world.tenant('Blue Harbour');
  const tab = await (await visitor()).openConsole(owner, '/console/branding');
  await tab.fill('Accent, light', '#ffee88');
  await tab.press('Save the branding');
  await tab.press(/^Use #/);
  await tab.press('Save the branding');
  await tab.sees('The branding is saved.');
});

story('a logo is shown on the pages, and a program that calls itself a logo is refused', async ({ world, visitor }) => {
  const { slug, owner } = await world.tenant('Blue Harbour');
  const staff = await visitor();
  const tab = await staff.openConsole(owner, '/console/branding');
  const input = tab.page.locator('input[type=file]');
  await input.setInputFiles({ name: 'logo.svg', mimeType: 'image/svg+xml', buffer: Buffer.from('<svg onload="alert(1)"/>') });
  await tab.sees('SVG files can contain programs');
  await input.setInputFiles({ name: 'logo.png', mimeType: 'image/png', buffer: await tab.page.locator('h1').screenshot() });
  await tab.sees('The logo is saved.');
  const ann = await (await visitor()).open(`/portal/sign-in?tenant=${slug}`);
  const logo = ann.page.getByRole('img', { name: 'Blue Harbour' });
  await logo.waitFor();
  await ann.page.waitForFunction(() => document.querySelector('.p-logo').naturalWidth > 0);
});

story('a mail that has failed is sent again from the mail log', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const email = await world.invite({ client: await world.client('Acme Ltd', owner), staff: owner });
  await world.link(email, 'activate');
  await world.deployment.sql(`UPDATE emails SET status = 'failed', sent_at = NULL WHERE recipient = '${email}'`);
  const tab = await (await visitor()).openConsole(owner, '/console/mail?status=failed');
  await tab.shows('Mail log');
  await tab.press(`Send the mail to ${email} again`);
  await tab.confirm('Send again');
  await tab.sees(`A new mail to ${email} is on its way.`);
  await world.link(email, 'activate');
});

story('the audit log says who has done what, and its export has the same events', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  await world.client('Acme Ltd', owner);
  const tab = await (await visitor()).openConsole(owner, '/console/audit');
  await tab.shows('Audit log');
  await tab.sees('Olivia Hart');
  const [download] = await Promise.all([tab.page.waitForEvent('download'), tab.press(/^Export/)]);
  const lines = (await readFile(await download.path(), 'utf8')).trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(lines.at(-1), { end: true, count: lines.length - 1 });
  assert.ok(lines.some(({ action }) => action?.includes('client')), 'the export names the new client');
});
