// Starts `portico dev` of the binary given, makes a person, and prints "ms of the fastest sign-in | sign-ins per second".
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const CLIENTS = 8;
const SECONDS = 10;

const folder = mkdtempSync(join(tmpdir(), 'portico-profile-'));
const many = '1000000/1s';
const env = {
  PORTICO_DATA_DIR: folder,
  DATABASE_URL: `sqlite:${folder}/portico.db`,
  MAIL_URL: `folder:${folder}/mail`,
  PORTICO_LISTEN: '127.0.0.1:0',
  PORTICO_INTERNAL_LISTEN: '127.0.0.1:0',
  PORTICO_LIMIT_REQUESTS: many,
  PORTICO_LIMIT_SIGN_IN_RATE: many,
  PORTICO_LIMIT_SIGN_IN_ACCOUNT: many,
  PORTICO_LIMIT_SIGN_IN_NETWORK: many,
};
const server = spawn(process.argv[2], ['dev'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
process.on('exit', () => {
  server.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const url = await new Promise((resolve, reject) => {
  let said = '';
  server.stderr.on('data', (bytes) => {
    said += bytes;
    const listen = / listen=(\S+)/.exec(said);
    if (listen) resolve(`http://${listen[1]}`);
  });
  server.on('exit', () => reject(new Error(said)));
});

async function call(path, body, headers = {}) {
  const answer = await fetch(url + path, {
    method: body ? 'POST' : 'GET',
    headers: { 'content-type': 'application/json', ...headers },
    body: body && JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function mail(to) {
  for (;;) {
    const [newest] = await call(`/dev/mail.json?to=${to}`);
    if (newest) return newest;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const { flow } = await call('/api/staff/auth/send-code', { email: 'owner@demo.test' });
const { code } = await mail('owner@demo.test');
const { access_token } = await call('/api/staff/auth/verify-code', { flow, code });
const staff = { authorization: `Bearer ${access_token}` };
const person = { email: 'ann@example.com', password: 'quartz-lantern-41' };
const client = await call('/api/v1/clients', { name: 'Example' }, staff);
await call(`/api/v1/clients/${client.id}/portal-user`, { email: person.email, name: 'Ann' }, staff);
const token = (await mail(person.email)).links.find((link) => link.includes('#token=')).split('#token=')[1];
await call('/api/portal/auth/activate', { token, password: person.password });

const signIn = () => call('/api/portal/auth/sign-in', person);
let fastest = Infinity;
for (let n = 0; n < 10; n++) {
  const before = performance.now();
  await signIn();
  fastest = Math.min(fastest, performance.now() - before);
}
let count = 0;
const began = performance.now();
await Promise.all(
  Array.from({ length: CLIENTS }, async () => {
    while (performance.now() - began < SECONDS * 1000) {
      // 503 `overloaded` is an answer too, and no sign-in.
      count += await signIn().then(() => 1, () => 0);
    }
  }),
);
const rate = count / ((performance.now() - began) / 1000);
console.log(`${fastest.toFixed(1)} | ${rate.toFixed(1)}`);
process.exit(0);
