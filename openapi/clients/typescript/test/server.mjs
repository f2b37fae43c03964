// A server of its own for a test: the program named by PORTICO_BIN in an empty folder, on free ports.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** What `look` finds, asked again until it finds something or `seconds` are over. */
export async function eventually(what, look, seconds = 15) {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await pause(100)) {
    const found = await look();
    if (found) return found;
  }
  throw new Error(`${what}: not within ${seconds} s`);
}

export async function startServer() {
  const { PORTICO_BIN } = process.env;
  if (!PORTICO_BIN) throw new Error('PORTICO_BIN must name a built portico.');
  await access(PORTICO_BIN, constants.X_OK);
  const folder = await mkdtemp(join(tmpdir(), 'portico-walk-'));
  const server = spawn(resolve(PORTICO_BIN), ['dev'], {
    cwd: folder,
    // Nothing of the caller's: a setting that leaks in would change what is tested. Hashes are cheap, since they are not what is.
    env: { PORTICO_LISTEN: '127.0.0.1:0', PORTICO_INTERNAL_LISTEN: '127.0.0.1:0', PORTICO_SCRYPT: 'ln=12,r=8,p=1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(server, 'close');
  let log = '';
  server.stderr.setEncoding('utf8').on('data', (text) => (log += text));

  // Its folder goes with it, so there is nothing to end gracefully for.
  const kill = () => server.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    kill();
    await ended;
    await rm(folder, { recursive: true });
  };
  const address = () => {
    if (server.exitCode !== null) throw new Error('it ended');
    return /\blistening\b.*?\blisten=(\S+)/.exec(log)?.[1];
  };
  try {
    return { baseUrl: `http://${await eventually('the server listens', address)}`, stop };
  } catch (error) {
    await stop();
    throw new Error(`The server did not start.\n${log}`, { cause: error });
  }
}

/** What `pick` finds in the newest mail to an address that holds it. */
export function mailed(baseUrl, to, pick) {
  return eventually(`mail to ${to}`, async () => {
    const response = await fetch(`${baseUrl}/dev/mail.json?to=${encodeURIComponent(to)}`);
    if (!response.ok) throw new Error(`The mailbox answers ${response.status}.`);
    return (await response.json()).map(pick).find(Boolean);
  });
}
