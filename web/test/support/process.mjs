// Child processes that end with the test run.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from './eventually.mjs';

/**
 * Starts a program with this environment. The kernel stops it when the test run ends, even if that is killed.
 *
 * Returns `log`, which returns its output so far, `logged`, which waits for a line and returns the first group of the
 * pattern, and `stop`.
 */
export function startProcess(program, args, { env = {}, cwd } = {}) {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    // The mail server ends when its stdin closes.
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // At the event `exit`, a part of the output may not have arrived.
  let hasEnded = false;
  const ended = once(child, 'close').then(() => (hasEnded = true));
  // A program that a failed story has left running must not keep the test run alive.
  for (const handle of [child, child.stdin, child.stdout, child.stderr]) handle.unref();
  let log = '';
  for (const output of [child.stdout, child.stderr]) output.setEncoding('utf8').on('data', (text) => (log += text));
  const logged = (what, pattern) =>
    eventually(what, () => {
      const [, found] = pattern.exec(log) ?? [];
      if (found === undefined && hasEnded) throw new Error(`${program} ended with status ${child.exitCode}.\n${log}`);
      return found;
    });
  const stop = async () => {
    child.ref();
    child.kill('SIGKILL');
    await ended;
  };
  return { log: () => log, logged, stop };
}
