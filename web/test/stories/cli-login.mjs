import assert from 'node:assert/strict';
import { beginLogin } from '../support/remote.mjs';
import { story } from '../support/story.mjs';

story('an owner approves the login of the command line with a fresh code, and the command works', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const { login, address, host, run, remove } = await beginLogin(world);
  const tab = await (await visitor()).openConsole(owner, address);
  tab.expectHost(host);
  await tab.shows('Approve the login of a program');
  await tab.press('Approve the login');
  await tab.send({ Code: await world.code(owner) }, 'Confirm');
  await login.logged('the command is logged in', /(Logged in to .*)/);
  await tab.sees('You are logged in.');
  assert.equal(new URL(tab.page.url()).hostname, '127.0.0.1');
  const list = run('clients', 'list', '--json');
  await list.logged('the token works', /(\[)/);
  await remove();
});

story('a login that is denied gives the program nothing, and ends it', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const { login, address, host, remove } = await beginLogin(world);
  const tab = await (await visitor()).openConsole(owner, address);
  tab.expectHost(host);
  await tab.press('Deny');
  await tab.sees('You have denied the login.');
  await login.logged('the command ends', /(the login was denied in the browser)/);
  const { data } = await world.asStaff('GET', '/api/v1/tokens', undefined, owner);
  assert.deepEqual(data, []);
  await remove();
});

story('support approves a login with a code that replaces an expired one, for the permissions of the role', async ({ world, visitor }) => {
  const support = await world.staff('support');
  const { login, address, host, run, remove } = await beginLogin(world);
  const tab = await (await visitor()).openConsole(support, address);
  tab.expectHost(host);
  await tab.sees('Change clients, invite people and disable their access');
  for (const more of ['See and export the audit log', 'See the branding']) await tab.misses(more);
  await tab.page.clock.install();
  await tab.press('Approve the login');
  await world.code(support);
  await tab.page.clock.fastForward('10:00');
  await tab.page.getByRole('status').getByText('The code has expired').waitFor();
  await tab.press('Send a new code');
  await tab.send({ Code: await world.code(support) }, 'Confirm');
  await login.logged('the command is logged in', /(Logged in to .* as support)/);
  await tab.sees('You are logged in.');
  const status = run('status', '--json');
  const scopes = await status.logged('the command shows its scopes', /"scopes":\s*\[([^\]]*)\]/);
  assert.deepEqual(scopes.match(/[a-z]+:[a-z]+/g), ['clients:read', 'clients:edit', 'emails:read', 'emails:edit']);
  await remove();
});

story('no other page can frame the approval of a login', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const browser = await visitor();
  browser.expect(/frame-ancestors/);
  await (await browser.openConsole(owner)).shows('Overview');
  const tab = await browser.open('about:blank');
  await tab.page.setContent(`<iframe src="${world.origin}/console/approve-login"></iframe>`);
  const frame = await (await tab.page.waitForSelector('iframe')).contentFrame();
  await frame.waitForURL(/^chrome-error:/);
});

story('an address that no program has made cannot be approved', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const tab = await (await visitor()).openConsole(owner, '/console/approve-login?port=80&state=x&code_challenge=y&name=z&scopes=all');
  await tab.shows('This login cannot be approved');
});
