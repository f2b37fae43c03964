import { fileURLToPath } from 'node:url';
import { startProcess } from './process.mjs';

const SCRIPT = fileURLToPath(new URL('../../build/dev.mjs', import.meta.url));

/** Starts the server for development on a free port. Returns its origin, and a function that stops it. */
export async function startDevServer() {
  const { logged, stop } = startProcess(process.execPath, [SCRIPT], { env: { PORT: '0' } });
  return { origin: await logged('the server for development listens', /(http:\/\/localhost:\d+)/), stop };
}
