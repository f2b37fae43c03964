// An SMTP server that keeps every mail, and an HTTP API to read the mails and to inject faults. See README.md.
import { mkdtemp, readFile } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { makeCertificates } from './certificates.mjs';
import { Faults } from './faults.mjs';
import { Mailbox } from './mailbox.mjs';
import { Server } from './smtp.mjs';

const { values: flags } = parseArgs({
  options: {
    user: { type: 'string', default: 'portico' },
    pass: { type: 'string', default: 'secret-of-the-sink' },
    'allow-plain': { type: 'boolean', default: false },
    'smtp-port': { type: 'string', default: '0' },
    'smtps-port': { type: 'string', default: '0' },
    'http-port': { type: 'string', default: '0' },
    cert: { type: 'string' },
    key: { type: 'string' },
  },
});

const folder = await mkdtemp(join(tmpdir(), 'smtp-sink-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit());
// The process that started this server holds the other end of stdin. When that process ends, also when it is killed,
// this server ends.
for (const event of ['end', 'close']) process.stdin.on(event, () => process.exit());
process.stdin.resume();

const sink = {
  user: flags.user,
  pass: flags.pass,
  allowPlain: flags['allow-plain'],
  certificates: await makeCertificates(folder),
  faults: new Faults(),
  mailbox: new Mailbox(),
  stats: { connections: 0, accepted: 0, rejected: 0, auth_failures: 0, plaintext_credentials: 0 },
};
if (flags.cert) sink.certificates.good = { cert: await readFile(flags.cert), key: await readFile(flags.key) };
const starttls = new Server({ sink, ...sink.certificates.good });
const implicit = new Server({ sink, ...sink.certificates.good, secure: true });

async function setFaults(rules) {
  sink.faults.replace(rules);
  await starttls.listenAgainUnless(sink.faults.refuses);
  await implicit.listenAgainUnless(sink.faults.refuses);
  starttls.applyTlsFault();
  implicit.applyTlsFault();
}

const routes = {
  'GET /messages': (query) =>
    sink.mailbox.find({ to: query.get('to') ?? undefined, limit: query.has('limit') ? Number(query.get('limit')) : undefined }),
  'DELETE /messages': () => sink.mailbox.clear(),
  'GET /deliveries': (query) => sink.mailbox.deliveries(Number(query.get('after') ?? 0)),
  'GET /newest': () => sink.mailbox.newest(),
  'GET /recipients': () => sink.mailbox.counts(),
  'GET /stats': () => sink.stats,
  'PUT /faults': (query, rules) => setFaults(rules),
  'DELETE /faults': () => setFaults([]),
};

const control = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://localhost');
  const answer = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  };
  try {
    const route = routes[`${request.method} ${url.pathname}`];
    if (!route) return answer(404, { error: `no ${request.method} ${url.pathname}` });
    const body = await route(url.searchParams, request.method === 'PUT' ? await json(request) : undefined);
    answer(body === undefined ? 204 : 200, body);
  } catch (error) {
    answer(400, { error: error.message });
  }
});

const listen = (server, port) =>
  new Promise((resolve, reject) => {
    const listener = server.server ?? server;
    listener.once('error', reject);
    server.listen(Number(port), '127.0.0.1', () => resolve(listener.address().port));
  });

const ready = {
  smtp: await listen(starttls, flags['smtp-port']),
  smtps: await listen(implicit, flags['smtps-port']),
  http: await listen(control, flags['http-port']),
  ca: sink.certificates.ca,
  user: sink.user,
  pass: sink.pass,
};
console.log(JSON.stringify(ready));
