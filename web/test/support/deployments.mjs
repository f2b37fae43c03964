// The two deployments that the stories run on, as in `tests/stories/support/world.rs`.
import { execFile } from 'node:child_process';
import { access, constants, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startApplication } from './application.mjs';
import { startProcess } from './process.mjs';
import { startProxy } from './proxy.mjs';

const run = promisify(execFile);
const SINK = fileURLToPath(new URL('../../../tests/smtp-sink/sink.mjs', import.meta.url));

/** The demo tenant and its owner. `portico dev` creates them. */
export const DEMO = { tenant: 'demo', owner: 'owner@demo.test' };

/** An application of the operator. Sign-in may lead to it. */
export const APPLICATION = 'https://app.example.test';

/**
 * Settings of both deployments: cheap hashes, free ports, a network for each browser, which it names itself, and an
 * application of the same site, whose pages may call the API.
 */
const common = (application) => ({
  PORTICO_SCRYPT: 'ln=12,r=8,p=1',
  PORTICO_LISTEN: '127.0.0.1:0',
  PORTICO_INTERNAL_LISTEN: '127.0.0.1:0',
  PORTICO_TRUSTED_PROXIES: '127.0.0.0/8',
  PORTICO_DRAIN_DELAY: '0s',
  // A run on a slow machine takes longer than an access token of `World` lives by default.
  PORTICO_ACCESS_TTL: '2h',
  // The stories poll the mailbox.
  PORTICO_LIMIT_REQUESTS: '10000/1m',
  PORTICO_RETURN_ORIGINS: APPLICATION,
  PORTICO_ALLOWED_ORIGINS: application.origin,
});
const LISTENING = /\blistening\b.*?"?\blisten"?[=:]"?([\d.:]+)/;

/** How to start each deployment. `settings` are added to those of every deployment. */
export const deployments = { single: startSingle, cluster: startCluster };

/** `portico dev`: one process, SQLite, and the mailbox for development. */
async function startSingle(settings = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'portico-web-test-'));
  const application = await startApplication();
  const env = {
    ...common(application),
    PORTICO_ENV: 'development',
    PORTICO_DATA_DIR: join(folder, 'data'),
    DATABASE_URL: `sqlite:${join(folder, 'portico.db')}`,
    MAIL_URL: `folder:${join(folder, 'mail')}`,
    // Production takes https only.
    PORTICO_RETURN_ORIGINS: `${APPLICATION},${application.origin}`,
    ...settings,
  };
  const binary = await binaryUnderTest();
  const server = startProcess(binary, ['dev'], { env, cwd: folder });
  const api = `http://${await server.logged('the API listens', LISTENING)}`;
  const origin = api.replace('127.0.0.1', 'localhost');
  application.portico = origin;
  return {
    name: 'single',
    origin,
    application,
    mails: (to) => getJson(`${api}/dev/mail.json?to=${encodeURIComponent(to)}`),
    run: (...args) => run(binary, args, { env, cwd: folder }),
    sql: (statement) => run('sqlite3', ['-cmd', '.timeout 10000', join(folder, 'portico.db'), statement]),
    log: server.log,
    stop: async () => {
      application.stop();
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}

/** Two APIs behind a proxy, and two workers, with Postgres and Redis of `bin/services` and a mail server. */
async function startCluster(settings = {}) {
  const [sink, proxy, database, application] = await Promise.all([startSink(), startProxy(), createDatabase(), startApplication()]);
  application.portico = proxy.origin;
  const env = {
    ...common(application),
    PORTICO_ENV: 'production',
    PORTICO_PUBLIC_URL: proxy.origin,
    PORTICO_SECRET: 'cG9ydGljby1zdG9yaWVzLXBvcnRpY28tc3Rvcmllcy0=',
    DATABASE_URL: database,
    PORTICO_DATABASE_CONNECTIONS: '8',
    REDIS_URL: provided('PORTICO_TEST_REDIS'),
    MAIL_URL: sink.url,
    MAIL_FROM: 'Portal <portal@portico.test>',
    ...settings,
  };
  const binary = await binaryUnderTest();
  await run(binary, ['migrate'], { env });
  const processes = ['api', 'api', 'worker', 'worker'].map((command) => startProcess(binary, [command], { env }));
  for (const api of processes.slice(0, 2)) proxy.backends.push(await api.logged('the API listens', LISTENING));
  await run(binary, ['tenant', 'add', '--slug', DEMO.tenant, '--name', 'Demo'], { env });
  await run(binary, ['staff', 'add', '--tenant', DEMO.tenant, '--email', DEMO.owner, '--role', 'owner'], { env });
  return {
    name: 'cluster',
    origin: proxy.origin,
    application,
    mails: (to) => getJson(`${sink.control}/messages?to=${encodeURIComponent(to)}`),
    run: (...args) => run(binary, args, { env }),
    sql: (statement) => psql(database, statement),
    log: () => processes.map((each) => each.log()).join(''),
    stop: async () => {
      application.stop();
      proxy.stop();
      await Promise.all([...processes, sink].map((each) => each.stop()));
    },
  };
}

/** Starts the mail server of the tests. */
async function startSink() {
  const server = startProcess(process.execPath, [SINK]);
  const { smtp, http, ca, user, pass } = JSON.parse(await server.logged('the mail server listens', /^(\{.*\})$/m));
  const url = `smtp://${user}:${pass}@localhost:${smtp}?tls=required&ca=${ca}`;
  return { url, control: `http://127.0.0.1:${http}`, stop: server.stop };
}

async function createDatabase() {
  const server = provided('PORTICO_TEST_POSTGRES');
  const name = `web_test_${process.pid}`;
  await psql(`${server}/postgres`, `CREATE DATABASE ${name}`);
  return `${server}/${name}`;
}

const psql = (url, statement) => run('psql', [url, '-v', 'ON_ERROR_STOP=1', '-Atc', statement]);

/** Returns the path of the binary under test. */
export async function binaryUnderTest() {
  const binary = resolve(provided('PORTICO_BIN'));
  await access(binary, constants.X_OK);
  return binary;
}

function provided(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set. Run the stories by: bin/services run -- npm test`);
  return value;
}

async function getJson(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.json();
}
