import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binaryUnderTest } from '../support/deployments.mjs';
import { startProcess } from '../support/process.mjs';
import { story } from '../support/story.mjs';

/** Runs a command of `portico remote` with a configuration folder of its own. */
async function remote(world, folder, ...args) {
  return startProcess(await binaryUnderTest(), ['remote', ...args], { env: { HOME: folder, PORTICO_REMOTE_URL: world.origin } });
}

story('an owner approves the login of the command line with a fresh code, and the command works', async ({ world, visitor }) => {
  const folder = await mkdtemp(join(tmpdir(), 'portico-remote-'));
  const { owner } = await world.tenant();
  const login = await remote(world, folder, 'login', '--browser', world.origin);
  const address = await login.logged('the command prints the address', /(http:\S+\/console\/approve-login\?\S+)/);
  const tab = await (await visitor()).openConsole(owner, address);
  tab.expectHost(`127.0.0.1:${new URL(address).searchParams.get('port')}`);
  await tab.shows('Approve the login of a program');
  await tab.press('Approve the login');
  await tab.send({ Code: await world.code(owner) }, 'Confirm');
  await login.logged('the command is logged in', /(Logged in to .*)/);
  assert.equal(new URL(tab.page.url()).hostname, '127.0.0.1');
  const list = await remote(world, folder, 'clients', 'list', '--json');
  await list.logged('the token works', /(\[)/);
  await rm(folder, { recursive: true });
});

story('a login that is denied gives the program nothing', async ({ world, visitor }) => {
  const folder = await mkdtemp(join(tmpdir(), 'portico-remote-'));
  const { owner } = await world.tenant();
  const login = await remote(world, folder, 'login', '--browser', world.origin);
  const address = await login.logged('the command prints the address', /(http:\S+\/console\/approve-login\?\S+)/);
  const tab = await (await visitor()).openConsole(owner, address);
  await tab.press('Deny');
  await tab.sees('Login denied');
  const { data } = await world.asStaff('GET', '/api/v1/tokens', undefined, owner);
  assert.deepEqual(data, []);
  await login.stop();
  await rm(folder, { recursive: true });
});

story('an address that no program has made cannot be approved', async ({ world, visitor }) => {
  const { owner } = await world.tenant();
  const tab = await (await visitor()).openConsole(owner, '/console/approve-login?port=80&state=x&code_challenge=y&name=z&scopes=all');
  await tab.shows('This login cannot be approved');
});
