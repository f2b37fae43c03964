// The SMTP server: the library smtp-server, changed to greet immediately, to require TLS and credentials, and to inject
// faults.
import { setTimeout } from 'node:timers/promises';
import { SMTPServer } from 'smtp-server';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';

const TEN_MINUTES = 600_000;

export class Server extends SMTPServer {
  constructor({ sink, ...options }) {
    super({
      name: 'localhost',
      logger: false,
      disableReverseLookup: true,
      // Connection.handler_MAIL checks for credentials, because it depends on the connection whether they are required.
      authOptional: true,
      allowInsecureAuth: true,
      socketTimeout: TEN_MINUTES,
      ...options,
    });
    this.sink = sink;
    // In some tests, clients close the connection early. That is no error.
    this.on('error', () => {});
  }

  /** Presents the right certificate, or the one that a `tls` rule demands. */
  applyTlsFault() {
    const { certificates, faults } = this.sink;
    this.updateSecureContext(certificates[faults.tls] ?? certificates.good);
    this.options.disabledCommands = faults.tls === 'hide' ? ['STARTTLS'] : [];
  }

  /** Closes the port if `refuses` is true, otherwise opens it again. Open connections stay open. */
  async listenAgainUnless(refuses) {
    const listener = this.server;
    if (listener.listening === !refuses) return;
    if (refuses) {
      this.port = listener.address().port;
      // Not awaited, because it completes only when the last connection is closed.
      listener.close();
    } else {
      await new Promise((listening, failed) => {
        listener.once('error', failed);
        listener.listen(this.port, '127.0.0.1', listening);
      });
    }
  }

  connect(socket, options) {
    this.sink.stats.connections += 1;
    const connection = new Connection(this, socket, options);
    this.connections.add(connection);
    connection.on('error', (error) => this._onError(error));
    connection.init();
  }

  onConnect(session, done) {
    done();
  }

  onAuth({ username, password }, session, done) {
    const { user, pass, stats } = this.sink;
    if (username === user && password === pass) return done(null, { user });
    stats.auth_failures += 1;
    done(null, {});
  }

  onMailFrom(address, session, done) {
    done();
  }

  onRcptTo(address, session, done) {
    address.given = session.given;
    done();
  }

  onData(stream, session, done) {
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('error', () => {});
    stream.on('end', () => session.connection.received(Buffer.concat(chunks), done));
  }
}

class Connection extends SMTPConnection {
  get #sink() {
    return this._server.sink;
  }

  get #recipients() {
    return this.session.envelope.rcptTo.map(({ given }) => given);
  }

  init() {
    this.session.connection = this;
    // The library waits 100 ms here, to detect clients that send before the greeting. This skips the wait.
    this._setListeners(() => {
      const rule = this.#sink.faults.take('connect');
      if (!rule) return this.connectionReady();
      this.#applyFault(rule, () => this.close());
    });
  }

  send(code, ...rest) {
    if (code >= 400) this.#sink.stats.rejected += 1;
    const socket = this._socket;
    // Only inside TLS. Before TLS, the handshake would be sent before the delayed bytes.
    const rule = this.secure && this.#sink.faults.take('reply');
    const write = socket.write.bind(socket);
    if (rule?.do === 'slow') socket.write = (reply) => writeSlowly(write, reply, socket);
    if (rule?.do === 'bare') socket.write = (reply) => write(withoutText(reply));
    if (rule?.do === 'latin1') socket.write = (reply) => write(Buffer.from(`${String(reply).trimEnd()} \xfc\r\n`, 'latin1'));
    super.send(code, ...rest);
    if (rule) delete socket.write;
  }

  handler_EHLO(command, done) {
    if (!this.#fault('ehlo', done)) super.handler_EHLO(command, done);
  }

  handler_AUTH(command, done) {
    const { allowPlain, stats } = this.#sink;
    if (!this.secure) {
      // An initial response holds the password, whether or not the server accepts it.
      const initialResponse = command.toString().trim().split(/\s+/).length > 2;
      if (initialResponse || allowPlain) stats.plaintext_credentials += 1;
      if (!allowPlain) return this.#refuse(530, 'Must issue a STARTTLS command first', done);
    }
    const rule = this.#sink.faults.take('auth');
    if (!rule) return super.handler_AUTH(command, done);
    stats.auth_failures += 1;
    this.#applyFault(rule, done);
  }

  handler_MAIL(command, done) {
    if (!this.session.user && (this.secure || !this.#sink.allowPlain)) {
      return this.#refuse(530, this.secure ? 'Authentication required' : 'Must issue a STARTTLS command first', done);
    }
    this.session.sender = given(command);
    if (!this.#fault('mail', done)) super.handler_MAIL(command, done);
  }

  handler_RCPT(command, done) {
    this.session.given = given(command);
    if (!this.#fault('rcpt', done, [this.session.given])) super.handler_RCPT(command, done);
  }

  handler_DATA(command, done) {
    if (!this.#fault('data', done, this.#recipients)) super.handler_DATA(command, done);
  }

  /** Keeps a received message, unless a rule rejects it. */
  received(raw, done) {
    const { faults, mailbox, stats } = this.#sink;
    const rule = faults.take('after_data', this.#recipients);
    if (rule?.do === 'reject') return done(Object.assign(new Error(rule.text), { responseCode: rule.code }));
    stats.accepted += 1;
    mailbox.add({
      raw,
      to: this.#recipients,
      from: this.session.sender,
      tls: this.secure,
      auth: this.session.user || null,
      received_at: new Date().toISOString(),
    });
    if (rule) return this.#applyFault(rule, done);
    const dropAfterReply = faults.take('after_ok');
    done();
    if (dropAfterReply) this._socket.end();
  }

  /** Applies the rule for `stage` if there is one. Returns whether there is one. */
  #fault(stage, done, recipients) {
    const rule = this.#sink.faults.take(stage, recipients);
    if (rule) this.#applyFault(rule, done);
    return rule !== undefined;
  }

  #applyFault(rule, done) {
    if (rule.do === 'reject') this.#refuse(rule.code, rule.text, done);
    if (rule.do === 'drop') this._socket.destroy();
    // For `hang`, `done` is never called. The connection stays open and the client gets no reply, until the rules change.
    if (rule.do === 'hang') this.#sink.faults.onChange(() => this._socket.destroy());
  }

  #refuse(code, text, done) {
    this.send(code, text);
    done();
  }
}

/** Writes one byte every 20 ms until the socket is closed. */
async function writeSlowly(write, reply, socket) {
  for (const byte of Buffer.from(reply)) {
    if (socket.destroyed) return;
    write(Buffer.of(byte));
    await setTimeout(20);
  }
}

/** Returns a reply of one line without its text. A longer reply, which lists extensions, stays as it is. */
function withoutText(reply) {
  const text = String(reply);
  return /^[0-9]{3} [^\n]*\n$/.test(text) ? `${text.slice(0, 3)}\r\n` : text;
}

/** Returns the address as the client spelled it. The parser of the library would change the domain. */
function given(command) {
  return /<([^<>]*)>/.exec(command.toString())?.[1] ?? '';
}
