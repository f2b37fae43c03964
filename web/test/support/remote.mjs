// The command line of a staff user.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binaryUnderTest } from './deployments.mjs';
import { startProcess } from './process.mjs';

/**
 * Begins a login of `portico remote`, with a configuration folder of its own. Returns its process, the address of the
 * page that approves it and the host to which that page leads, `run`, which starts a further command with the same
 * folder, and `remove`, which removes the folder.
 */
export async function beginLogin(world) {
  const [binary, folder] = await Promise.all([binaryUnderTest(), mkdtemp(join(tmpdir(), 'portico-remote-'))]);
  const env = { HOME: folder, PORTICO_REMOTE_URL: world.origin };
  const run = (...args) => startProcess(binary, ['remote', ...args], { env });
  const login = run('login', '--browser', world.origin);
  const address = await login.logged('the command prints the address', /(http:\S+\/console\/approve-login\?\S+)/);
  const host = `127.0.0.1:${new URL(address).searchParams.get('port')}`;
  return { login, address, host, run, remove: () => rm(folder, { recursive: true }) };
}
