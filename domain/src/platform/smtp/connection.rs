//! One connection to an SMTP server (RFC 5321), from the greeting to QUIT.

use std::{future::Future, pin::pin, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::{FutureExt, future::BoxFuture};
use lettre::address::Envelope;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{
    failure::{Cause, Failure, Stage},
    reply::Reply,
    settings::{Encryption, SmtpServer},
    tls::Tls,
};

/// After this time without a greeting, a second connection finds out whether the server speaks TLS from the first byte.
/// Most servers that delay the greeting on purpose delay it for less.
const TLS_PROBE_AFTER: Duration = Duration::from_secs(8);
/// How long the second connection may take.
const TLS_PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the server may take to answer QUIT.
const QUIT_TIMEOUT: Duration = Duration::from_secs(5);

/// A byte stream, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Asks whether the final dot may be sent. The error says why not.
pub(crate) type BeforeDot<'a> = dyn Fn() -> BoxFuture<'a, Result<(), String>> + Send + Sync + 'a;

/// A server and what is needed to connect to it.
pub(super) struct Connector {
    /// The server.
    pub(super) server: SmtpServer,
    /// How to encrypt connections. An unencrypted connection uses it to find out that the server expects TLS.
    pub(super) tls: Tls,
    /// The name that EHLO says.
    pub(super) ehlo: String,
}

/// A connection on which the server has greeted.
pub(super) struct Connection<S = Box<dyn Stream>> {
    stream: BufReader<S>,
    extensions: Extensions,
}

/// The extensions that a server offers (RFC 5321 §4.1.1.1), as far as they are used here.
#[derive(Default)]
struct Extensions {
    starttls: bool,
    plain: bool,
    login: bool,
}

impl Connector {
    /// Opens a connection and prepares it for a mail: encrypted and authenticated as configured.
    ///
    /// # Errors
    /// A [`Failure`] of one of the stages up to AUTH.
    pub(super) async fn connect(&self) -> Result<Connection, Failure> {
        let tcp = self.open_tcp().await?;
        let mut connection = match self.server.encryption {
            Encryption::Implicit => {
                let mut connection = Connection::new(within(Stage::Tls, self.tls.connect(tcp)).await?);
                connection.greeting().await?;
                connection.ehlo(&self.ehlo, false).await?;
                connection.boxed()
            }
            Encryption::Required | Encryption::Opportunistic => self.upgrade(tcp).await?,
            Encryption::None => {
                let mut connection = Connection::new(tcp);
                self.greeting_or_tls(&mut connection).await?;
                // HELO offers no AUTH.
                connection.ehlo(&self.ehlo, self.server.credentials.is_none()).await?;
                connection.boxed()
            }
        };
        if let Some((user, password)) = &self.server.credentials {
            connection.authenticate(user, password).await?;
        }
        Ok(connection)
    }

    async fn open_tcp(&self) -> Result<TcpStream, Failure> {
        let address = (self.server.host.as_str(), self.server.port);
        let stream = within(Stage::Connect, async { TcpStream::connect(address).await.map_err(Cause::from) }).await?;
        // The server must receive each small write before it answers.
        stream.set_nodelay(true).map_err(|error| failure(Stage::Connect)(error.into()))?;
        Ok(stream)
    }

    /// Reads the greeting and encrypts the connection by STARTTLS (RFC 3207), if the server offers it.
    async fn upgrade(&self, tcp: TcpStream) -> Result<Connection, Failure> {
        let mut plain = Connection::new(tcp);
        self.greeting_or_tls(&mut plain).await?;
        plain.ehlo(&self.ehlo, false).await?;
        if !plain.extensions.starttls {
            if self.server.encryption == Encryption::Opportunistic {
                return Ok(plain.boxed());
            }
            return Err(failure(Stage::Tls)(Cause::Setup("the server does not offer STARTTLS".into())));
        }
        plain.command(Stage::Tls, "STARTTLS", 2).await?;
        // What arrived before the handshake may have been inserted by an attacker.
        plain.expect_no_input(Stage::Tls)?;
        let stream = within(Stage::Tls, self.tls.connect(plain.stream.into_inner())).await?;
        let mut connection = Connection::new(stream);
        connection.ehlo(&self.ehlo, false).await?;
        Ok(connection.boxed())
    }

    /// Waits for the greeting. A server that speaks TLS from the first byte sends none, so it would be waited for in
    /// vain.
    async fn greeting_or_tls(&self, plain: &mut Connection<TcpStream>) -> Result<(), Failure> {
        let mut greeting = pin!(plain.greeting());
        let failed = tokio::select! {
            greeted = &mut greeting => match greeted {
                // A server that speaks TLS closes the connection after a while, or sends an alert.
                Err(failure) if matches!(failure.cause, Cause::Closed(_) | Cause::Unparsable) => Some(failure),
                greeted => return greeted,
            },
            () = sleep(TLS_PROBE_AFTER) => None,
        };
        let speaks_tls = async {
            match self.open_tcp().await {
                Ok(tcp) => self.tls.is_spoken(tcp).await,
                Err(_) => false,
            }
        };
        if timeout(TLS_PROBE_TIMEOUT, speaks_tls).await == Ok(true) {
            let why = "the server speaks TLS from the first byte; use smtps:// in MAIL_URL";
            return Err(failure(Stage::Greeting)(Cause::Setup(why.into())));
        }
        match failed {
            Some(failure) => Err(failure),
            None => greeting.await,
        }
    }
}

impl<S: Stream + 'static> Connection<S> {
    fn new(stream: S) -> Self {
        Self { stream: BufReader::new(stream), extensions: Extensions::default() }
    }

    fn boxed(self) -> Connection {
        // The buffer is empty, because every reply has been read.
        let stream: Box<dyn Stream> = Box::new(self.stream.into_inner());
        Connection { stream: BufReader::new(stream), extensions: self.extensions }
    }

    async fn greeting(&mut self) -> Result<(), Failure> {
        let greeting = within(Stage::Greeting, async { Reply::read(&mut self.stream).await.map_err(Cause::from) });
        expect(Stage::Greeting, greeting.await?, 2).map(|_| ())
    }

    /// Says `EHLO name` and remembers the extensions. If the server does not know EHLO and `may_use_helo` is true, says
    /// HELO.
    async fn ehlo(&mut self, name: &str, may_use_helo: bool) -> Result<(), Failure> {
        let reply = self.exchange(Stage::Ehlo, &format!("EHLO {name}")).await?;
        if may_use_helo && [500, 502].contains(&reply.code) {
            return self.command(Stage::Ehlo, &format!("HELO {name}"), 2).await.map(|_| ());
        }
        self.extensions = Extensions::of(&expect(Stage::Ehlo, reply, 2)?);
        Ok(())
    }

    /// Authenticates by PLAIN (RFC 4616) or LOGIN.
    async fn authenticate(&mut self, user: &str, password: &str) -> Result<(), Failure> {
        let encode = |text: &str| BASE64_STANDARD.encode(text);
        let (first, answers) = if self.extensions.plain {
            let response = encode(&format!("\0{user}\0{password}"));
            (format!("AUTH PLAIN {response}"), vec![response])
        } else if self.extensions.login {
            ("AUTH LOGIN".to_owned(), vec![encode(user), encode(password)])
        } else {
            let why = "the server offers neither AUTH PLAIN nor AUTH LOGIN";
            return Err(failure(Stage::Auth)(Cause::Setup(why.into())));
        };
        let mut reply = self.exchange(Stage::Auth, &first).await?;
        for answer in answers {
            if reply.code / 100 != 3 {
                break;
            }
            reply = self.exchange(Stage::Auth, &answer).await?;
        }
        expect(Stage::Auth, reply, 2).map(|_| ())
    }

    /// Sends one mail: `text` is complete, with its headers. `before_dot` is called after the server has accepted
    /// sender, recipient and DATA. The server has `dot_limit` to answer the final dot. Returns its reply.
    ///
    /// # Errors
    /// A [`Failure`] of one of the stages from MAIL to the dot. The connection can then not be used for another mail.
    pub(super) async fn send(
        &mut self,
        envelope: &Envelope,
        text: &[u8],
        before_dot: &BeforeDot<'_>,
        dot_limit: Duration,
    ) -> Result<Reply, Failure> {
        let sender = envelope.from().map(ToString::to_string).unwrap_or_default();
        self.command(Stage::Mail, &format!("MAIL FROM:<{sender}>"), 2).await?;
        for recipient in envelope.to() {
            self.command(Stage::Rcpt, &format!("RCPT TO:<{recipient}>"), 2).await?;
        }
        self.command(Stage::Data, "DATA", 3).await?;
        self.expect_no_input(Stage::Data)?;
        before_dot().await.map_err(|why| failure(Stage::Data)(Cause::NotAllowed(why)))?;
        within(Stage::Data, self.write(&dot_stuffed(text))).await?;
        let dot = async {
            self.write(b".\r\n").await?;
            Reply::read_first_line(&mut self.stream).await.map_err(Cause::from)
        };
        let mut reply = timeout(dot_limit, dot).await.unwrap_or(Err(Cause::Silence)).map_err(failure(Stage::Dot))?;
        // The code has decided, even if the rest takes longer than the limit or never comes.
        reply.read_rest(&mut self.stream).await;
        expect(Stage::Dot, reply, 2)
    }

    /// Returns whether the connection can be used for another mail: it is open, and the server has sent nothing that
    /// would be taken for the reply to the next command.
    pub(super) fn is_quiet(&mut self) -> bool {
        self.stream.fill_buf().now_or_never().is_none()
    }

    /// Says QUIT and waits for a moment for the answer. The connection ends in any case.
    pub(super) async fn quit(mut self) {
        let _ = timeout(QUIT_TIMEOUT, async {
            self.write(b"QUIT\r\n").await?;
            Reply::read(&mut self.stream).await.map_err(Cause::from)
        })
        .await;
    }

    /// Sends `line` and returns the reply if its code begins with the digit `expected`.
    async fn command(&mut self, stage: Stage, line: &str, expected: u16) -> Result<Reply, Failure> {
        expect(stage, self.exchange(stage, line).await?, expected)
    }

    /// Checks that the server has sent nothing since its last reply. It would be taken for the next reply.
    fn expect_no_input(&self, stage: Stage) -> Result<(), Failure> {
        if self.stream.buffer().is_empty() { Ok(()) } else { Err(failure(stage)(Cause::Unparsable)) }
    }

    /// Sends `line` and returns the reply.
    async fn exchange(&mut self, stage: Stage, line: &str) -> Result<Reply, Failure> {
        self.expect_no_input(stage)?;
        within(stage, async {
            self.write(format!("{line}\r\n").as_bytes()).await?;
            Reply::read(&mut self.stream).await.map_err(Cause::from)
        })
        .await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Cause> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await?;
        Ok(())
    }
}

impl Extensions {
    /// Reads the reply to EHLO. Keywords are not case-sensitive (RFC 5321 §2.4), and some servers write `AUTH=`.
    fn of(reply: &Reply) -> Self {
        let mut extensions = Self::default();
        for line in reply.lines().skip(1) {
            let line = line.to_ascii_uppercase().replacen('=', " ", 1);
            let mut words = line.split_whitespace();
            match words.next() {
                Some("STARTTLS") => extensions.starttls = true,
                Some("AUTH") => {
                    let mechanisms: Vec<_> = words.collect();
                    extensions.plain |= mechanisms.contains(&"PLAIN");
                    extensions.login |= mechanisms.contains(&"LOGIN");
                }
                _ => {}
            }
        }
        extensions
    }
}

fn failure(stage: Stage) -> impl Fn(Cause) -> Failure {
    move |cause| Failure { stage, cause }
}

/// Returns the reply if its code begins with `digit`. A client must not depend on the other digits (RFC 5321 §4.2).
/// Before the final dot another command follows, so the reply must be complete.
fn expect(stage: Stage, reply: Reply, digit: u16) -> Result<Reply, Failure> {
    if reply.code / 100 != digit {
        return Err(failure(stage)(Cause::Reply(reply)));
    }
    if reply.is_complete || stage == Stage::Dot { Ok(reply) } else { Err(failure(stage)(Cause::Unparsable)) }
}

/// Runs `work` within the time limit of `stage`.
async fn within<T>(stage: Stage, work: impl Future<Output = Result<T, Cause>>) -> Result<T, Failure> {
    timeout(stage.time_limit(), work).await.unwrap_or(Err(Cause::Silence)).map_err(failure(stage))
}

/// Returns `text` with CRLF at the end of each line and a second dot before each dot at the start of a line (RFC 5321
/// §4.5.2).
fn dot_stuffed(text: &[u8]) -> Vec<u8> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let mut stuffed = Vec::with_capacity(text.len() + 64);
    for line in text.split(|byte| *byte == b'\n') {
        if line.first() == Some(&b'.') {
            stuffed.push(b'.');
        }
        stuffed.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        stuffed.extend_from_slice(b"\r\n");
    }
    stuffed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_stuffed_and_lines_end_with_crlf() {
        for (text, stuffed) in [
            ("a\r\n.b\r\n", "a\r\n..b\r\n"),
            ("a\n..b\nc", "a\r\n...b\r\nc\r\n"),
            (".\r\n", "..\r\n"),
            ("a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n"),
        ] {
            assert_eq!(dot_stuffed(text.as_bytes()), stuffed.as_bytes(), "{text:?}");
        }
    }

    #[tokio::test]
    async fn extensions_are_read_in_any_case() {
        for (reply, expected) in [
            ("250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n", (true, true, true)),
            ("250-x\r\n250-StartTls\r\n250 auth plain\r\n", (true, true, false)),
            ("250-x\r\n250 AUTH=login\r\n", (false, false, true)),
            ("250-x\r\n250-AUTH XOAUTH2\r\n250 AUTH Login\r\n", (false, false, true)),
            ("250 STARTTLS\r\n", (false, false, false)),
        ] {
            let reply = Reply::read(&mut reply.as_bytes()).await.unwrap();
            let found = Extensions::of(&reply);
            assert_eq!((found.starttls, found.plain, found.login), expected);
        }
    }
}
