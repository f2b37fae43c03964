// Starts a server for one test file: the binary that PORTICO_BIN names, in an empty folder, on free ports.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Calls `look` every 100 ms until it returns a truthy value, and returns that value.
 * Throws an error that contains `what` if `seconds` pass without one.
 */
export async function eventually(what, look, seconds = 15) {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await pause(100)) {
    const found = await look();
    if (found) return found;
  }
  throw new Error(`${what}: did not happen within ${seconds} s`);
}

/**
 * Starts `portico dev`, with these settings besides the ones that every test needs. Returns its base URL, a function
 * that returns what it has logged so far, and a function that stops it and deletes its folder.
 */
export async function startServer(settings = {}) {
  const { PORTICO_BIN } = process.env;
  if (!PORTICO_BIN) throw new Error('PORTICO_BIN must be the path of a portico binary.');
  await access(PORTICO_BIN, constants.X_OK);
  const folder = await mkdtemp(join(tmpdir(), 'portico-client-test-'));
  const server = spawn(resolve(PORTICO_BIN), ['dev'], {
    cwd: folder,
    // The environment of this process is not inherited, because its settings would change the test. A low scrypt cost
    // keeps the test fast.
    env: {
      PORTICO_LISTEN: '127.0.0.1:0',
      PORTICO_INTERNAL_LISTEN: '127.0.0.1:0',
      PORTICO_SCRYPT: 'ln=12,r=8,p=1',
      ...settings,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(server, 'close');
  let log = '';
  server.stderr.setEncoding('utf8').on('data', (text) => (log += text));

  // A graceful stop is not needed, because `stop` deletes the server's folder.
  const kill = () => server.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    kill();
    await ended;
    await rm(folder, { recursive: true });
  };
  const address = () => {
    if (server.exitCode !== null) throw new Error(`the server exited with status ${server.exitCode}`);
    return /\blistening\b.*?\blisten=(\S+)/.exec(log)?.[1];
  };
  try {
    return { baseUrl: `http://${await eventually('the server listens', address)}`, log: () => log, stop };
  } catch (error) {
    await stop();
    throw new Error(`The server did not start.\n${log}`, { cause: error });
  }
}

/** Returns what `pick` returns for the newest mail to `to` for which it is truthy. Waits until such a mail arrives. */
export function mailed(baseUrl, to, pick) {
  return eventually(`mail to ${to}`, async () => {
    const response = await fetch(`${baseUrl}/dev/mail.json?to=${encodeURIComponent(to)}`);
    if (!response.ok) throw new Error(`The dev mailbox responded with status ${response.status}.`);
    return (await response.json()).map(pick).find(Boolean);
  });
}
