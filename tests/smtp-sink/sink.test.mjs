import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import readline from 'node:readline';
import { after, before, beforeEach, describe, test } from 'node:test';
import tls from 'node:tls';
import nodemailer from 'nodemailer';

const LIMIT = { timeout: 20_000 };

async function start(...flags) {
  const child = spawn(process.execPath, [new URL('sink.mjs', import.meta.url).pathname, ...flags], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(readline.createInterface(child.stdout), 'line');
  const ready = JSON.parse(line);
  const api = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${ready.http}${path}`, { method, body: body && JSON.stringify(body) });
    return response.status === 204 ? undefined : response.json();
  };
  return { ...ready, child, api, stop: () => stop(child) };
}

async function stop(child) {
  child.stdin.end();
  if (child.exitCode === null) await once(child, 'exit');
}

const transport = (sink, options = {}) =>
  nodemailer.createTransport({
    host: 'localhost',
    port: sink.smtp,
    requireTLS: true,
    auth: { user: sink.user, pass: sink.pass },
    tls: { ca: readFileSync(sink.ca), servername: 'localhost' },
    ...options,
  });

const mail = (to, more = {}) => ({ from: 'portico@localhost', to, subject: 'Hello', text: 'Hi', ...more });

/** Opens an SMTP connection. `send` sends a line and returns the last line of the reply, or null at the end. */
async function openSmtp(port) {
  const socket = net.connect(port, '127.0.0.1');
  const lines = readline.createInterface(socket)[Symbol.asyncIterator]();
  socket.on('error', () => {});
  const readReply = async () => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) return null;
      if (value[3] !== '-') return value;
    }
  };
  return { socket, readReply, send: (line) => (socket.write(`${line}\r\n`), readReply()) };
}

const base64 = (text) => Buffer.from(text).toString('base64');

describe('the mail server', LIMIT, () => {
  let sink;
  before(async () => (sink = await start()));
  after(() => sink.stop());
  beforeEach(async () => {
    await sink.api('DELETE', '/faults');
    await sink.api('DELETE', '/messages');
  });

  const messages = (to) => sink.api('GET', `/messages?to=${encodeURIComponent(to)}`);
  const statsChange = async (act) => {
    const earlier = await sink.api('GET', '/stats');
    const result = await act();
    const later = await sink.api('GET', '/stats');
    return { result, by: Object.fromEntries(Object.keys(later).map((key) => [key, later[key] - earlier[key]])) };
  };

  test('shows messages, newest first', async () => {
    const smtp = transport(sink);
    await smtp.sendMail(mail('old@x.test', { cc: 'Both@x.test' }));
    await smtp.sendMail(
      mail('"Ann" <Both@x.test>', {
        subject: 'Grüße, Ånn',
        text: 'Your code is 123456.\nOpen http://localhost/portal/activate#token=a-654321-_ (or not).',
        html: '<p style="color:#999999">Open <a href="http://localhost/x?a=1&amp;b=2">this</a></p>',
        messageId: '<1@portico>',
        headers: { 'X-Long': 'word '.repeat(40).trim() },
      }),
    );
    const [newest, oldest] = await messages('Both@x.test');
    assert.equal(oldest.subject, 'Hello');
    assert.deepEqual(oldest.to, ['old@x.test', 'Both@x.test']);
    assert.equal(oldest.html, null);
    assert.equal(oldest.code, null);
    assert.deepEqual(newest.to, ['Both@x.test']);
    assert.equal(newest.from, 'portico@localhost');
    assert.equal(newest.subject, 'Grüße, Ånn');
    assert.match(newest.text, /^Your code is 123456\./);
    assert.equal(newest.message_id, '<1@portico>');
    assert.equal(newest.headers['message-id'], '<1@portico>');
    assert.equal(newest.headers['x-long'], 'word '.repeat(40).trim());
    assert.deepEqual(newest.links, ['http://localhost/portal/activate#token=a-654321-_', 'http://localhost/x?a=1&b=2']);
    assert.equal(newest.code, '123456');
    assert.equal(newest.tls, true);
    assert.equal(newest.auth, sink.user);
    assert.ok(Date.parse(newest.received_at) <= Date.now());
    assert.deepEqual(await messages('both@x.test'), []);
    assert.equal((await sink.api('GET', '/messages?limit=1'))[0].subject, 'Grüße, Ånn');
    assert.deepEqual(await sink.api('GET', '/recipients'), { 'old@x.test': 1, 'Both@x.test': 2 });
    await sink.api('DELETE', '/messages');
    assert.deepEqual(await sink.api('GET', '/messages'), []);
  });

  test('keeps the spelling of an international domain', async () => {
    await transport(sink).sendMail({ envelope: { from: '', to: 'a@xn--bcher-kva.test' }, raw: 'Subject: x\r\n\r\ny' });
    const [message] = await messages('a@xn--bcher-kva.test');
    assert.equal(message.from, '');
  });

  test('takes mail over implicit TLS', async () => {
    await transport(sink, { port: sink.smtps, secure: true }).sendMail(mail('tls@x.test'));
    assert.equal((await messages('tls@x.test'))[0].tls, true);
  });

  test('requires TLS before credentials and mail', async () => {
    const { by } = await statsChange(async () => {
      const { send, readReply, socket } = await openSmtp(sink.smtp);
      assert.match(await readReply(), /^220 /);
      assert.match(await send('EHLO x'), /^250 /);
      assert.match(await send('AUTH LOGIN'), /^530 /);
      assert.match(await send('MAIL FROM:<a@x.test>'), /^530 /);
      assert.match(await send(`AUTH PLAIN ${base64(`\0${sink.user}\0${sink.pass}`)}`), /^530 /);
      socket.destroy();
    });
    assert.deepEqual(by, { connections: 1, accepted: 0, rejected: 3, auth_failures: 0, plaintext_credentials: 1 });
  });

  test('requires the right credentials', async () => {
    await assert.rejects(transport(sink, { auth: undefined }).sendMail(mail('a@x.test')), { responseCode: 530 });
    const { by } = await statsChange(() =>
      assert.rejects(transport(sink, { auth: { user: sink.user, pass: 'wrong' } }).sendMail(mail('a@x.test')), {
        responseCode: 535,
      }),
    );
    assert.equal(by.auth_failures, 1);
    assert.equal(by.plaintext_credentials, 0);
    await transport(sink, { authMethod: 'LOGIN' }).sendMail(mail('login@x.test'));
    assert.equal((await messages('login@x.test')).length, 1);
  });

  test('greets immediately', async () => {
    const start = performance.now();
    for (let i = 0; i < 20; i += 1) {
      const { readReply, socket } = await openSmtp(sink.smtp);
      await readReply();
      socket.destroy();
    }
    assert.ok((performance.now() - start) / 20 < 50);
  });

  for (const stage of ['connect', 'ehlo', 'auth', 'mail', 'rcpt', 'data', 'after_data']) {
    test(`rejects at ${stage}, the given number of times`, async () => {
      await sink.api('PUT', '/faults', [{ stage, do: 'reject', code: 452, text: 'Not today', times: 1 }]);
      const { by } = await statsChange(() =>
        // After a rejected EHLO, nodemailer tries HELO, which has no STARTTLS. So this case uses a plain connection.
        stage === 'ehlo'
          ? openSmtp(sink.smtp).then(async ({ readReply, send }) => (await readReply(), assert.equal(await send('EHLO x'), '452 Not today')))
          : assert.rejects(transport(sink).sendMail(mail('a@x.test')), /452 Not today/),
      );
      assert.equal(by.accepted, 0);
      assert.ok(by.rejected >= 1);
      await transport(sink).sendMail(mail('a@x.test'));
      assert.equal((await messages('a@x.test')).length, 1);
    });

    test(`drops at ${stage}`, async () => {
      await sink.api('PUT', '/faults', [{ stage, do: 'drop' }]);
      await assert.rejects(transport(sink).sendMail(mail('a@x.test')), (error) => error.responseCode === undefined);
      assert.equal((await messages('a@x.test')).length, stage === 'after_data' ? 1 : 0);
    });

    test(`hangs at ${stage}`, async () => {
      await sink.api('PUT', '/faults', [{ stage, do: 'hang' }]);
      const timeouts = { greetingTimeout: 300, socketTimeout: 300 };
      await assert.rejects(transport(sink, timeouts).sendMail(mail('a@x.test')), { code: 'ETIMEDOUT' });
      await sink.api('DELETE', '/faults');
      await transport(sink).sendMail(mail('b@x.test'));
    });
  }

  test('applies a rule to one recipient only', async () => {
    for (const stage of ['rcpt', 'data', 'after_data']) {
      await sink.api('PUT', '/faults', [{ stage, do: 'reject', code: 550, text: 'Unknown', to: 'bad@x.test' }]);
      await assert.rejects(transport(sink).sendMail(mail('bad@x.test')), { responseCode: 550 });
      await transport(sink).sendMail(mail('good@x.test'));
    }
    assert.equal((await messages('good@x.test')).length, 3);
    assert.equal((await messages('bad@x.test')).length, 0);
  });

  for (const [fault, message] of [['wrong_host', /does not match certificate/], ['untrusted', /self-signed certificate/]]) {
    test(`presents a certificate that is ${fault}`, async () => {
      await sink.api('PUT', '/faults', [{ stage: 'tls', do: fault }]);
      for (const options of [{}, { port: sink.smtps, secure: true }]) {
        await assert.rejects(transport(sink, options).sendMail(mail('a@x.test')), message);
      }
      await sink.api('DELETE', '/faults');
      await transport(sink).sendMail(mail('a@x.test'));
    });
  }

  test('does not offer STARTTLS with the fault hide', async () => {
    await sink.api('PUT', '/faults', [{ stage: 'tls', do: 'hide' }]);
    const { by } = await statsChange(() => assert.rejects(transport(sink).sendMail(mail('a@x.test'))));
    assert.equal(by.plaintext_credentials, 0);
  });

  test('closes after the reply to a message, and sends replies slowly', async () => {
    await sink.api('PUT', '/faults', [{ stage: 'after_ok', do: 'drop', times: 1 }, { stage: 'reply', do: 'slow', times: 2 }]);
    const before = (await sink.api('GET', '/deliveries')).length;
    const start = performance.now();
    await transport(sink).sendMail(mail('ok@x.test', { messageId: '<ok@x.test>' }));
    assert.ok(performance.now() - start > 400);
    const [[id, at]] = await sink.api('GET', `/deliveries?after=${before}`);
    assert.equal(id, '<ok@x.test>');
    assert.ok(at <= Date.now());
  });

  test('sends replies without text, or with bytes that are not UTF-8', async () => {
    for (const action of ['bare', 'latin1']) {
      await sink.api('PUT', '/faults', [{ stage: 'reply', do: action }]);
      const before = (await sink.api('GET', '/deliveries')).length;
      await transport(sink).sendMail(mail(`${action}@x.test`));
      assert.equal((await sink.api('GET', '/deliveries')).length, before + 1);
    }
  });

  test('refuses connections until the rule is deleted', async () => {
    const open = await openSmtp(sink.smtp);
    assert.match(await open.readReply(), /^220/);
    await sink.api('PUT', '/faults', [{ stage: 'listen', do: 'refuse' }]);
    await assert.rejects(transport(sink).sendMail(mail('no@x.test')), { code: 'ESOCKET' });
    await sink.api('DELETE', '/faults');
    await transport(sink).sendMail(mail('yes@x.test'));
    assert.match(await open.send('NOOP'), /^250/);
    open.socket.destroy();
  });

  test('rejects invalid rules', async () => {
    for (const rule of [{ stage: 'x', do: 'drop' }, { stage: 'mail', do: 'x' }, { stage: 'mail', do: 'drop', to: 'a@x.test' }, { stage: 'mail', do: 'drop', tmies: 1 }]) {
      assert.ok((await sink.api('PUT', '/faults', [rule])).error);
    }
  });

  test('accepts more than 300 mails per second', { timeout: 60_000 }, async () => {
    const pool = transport(sink, { pool: true, maxConnections: 8, maxMessages: Infinity });
    const start = performance.now();
    const count = 2_000;
    await Promise.all(Array.from({ length: count }, (_, i) => pool.sendMail(mail(`flood${i}@x.test`))));
    const rate = count / ((performance.now() - start) / 1000);
    pool.close();
    assert.equal(Object.keys(await sink.api('GET', '/recipients')).length, count);
    assert.ok(rate > 300, `${Math.round(rate)} mails/s`);
  });
});

test('accepts plain connections with --allow-plain', LIMIT, async () => {
  const sink = await start('--allow-plain');
  const plain = { requireTLS: false, ignoreTLS: true };
  await transport(sink, { ...plain, auth: undefined }).sendMail(mail('a@x.test'));
  await transport(sink, plain).sendMail(mail('a@x.test'));
  const [second, first] = await sink.api('GET', '/messages');
  assert.deepEqual([first.tls, first.auth, second.tls, second.auth], [false, null, false, sink.user]);
  assert.equal((await sink.api('GET', '/stats')).plaintext_credentials, 1);
  await assert.rejects(transport(sink, { auth: undefined }).sendMail(mail('a@x.test')), { responseCode: 530 });
  await sink.stop();
});

test('ends when its stdin closes', LIMIT, async () => {
  const sink = await start();
  const connection = tls.connect({ port: sink.smtps, host: '127.0.0.1', rejectUnauthorized: false }).on('error', () => {});
  await once(connection, 'secureConnect');
  sink.child.stdin.destroy();
  await once(sink.child, 'exit');
  assert.ok(!existsSync(sink.ca));
});
