//! An SMTP server (RFC 5321) that accepts every mail as fast as it can. It keeps the time, the recipient and the
//! secret of each mail.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Result, bail};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

/// A running SMTP server and the mails that it has accepted. Clones share the mails.
#[derive(Clone, Default)]
pub(crate) struct Mailbox {
    port: u16,
    mails: Arc<Mutex<Mails>>,
}

/// The accepted mails.
#[derive(Default)]
struct Mails {
    /// When each mail was accepted, in that order.
    times: Vec<Instant>,
    /// The newest mail to each recipient.
    by_recipient: HashMap<String, Mail>,
}

/// An accepted mail.
#[derive(Clone)]
pub(crate) struct Mail {
    /// When its last byte arrived.
    pub(crate) at: Instant,
    /// The secret of its link, or its code, if it has one.
    pub(crate) secret: Option<String>,
}

impl Mailbox {
    /// Starts a server on a free port of 127.0.0.1.
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mailbox = Self { port: listener.local_addr()?.port(), ..Self::default() };
        let server = mailbox.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mailbox = server.clone();
                tokio::spawn(async move { mailbox.serve(stream).await });
            }
        });
        Ok(mailbox)
    }

    /// Returns the `MAIL_URL` of this server. It has no credentials, so that Portico accepts it without TLS.
    pub(crate) fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}?tls=none", self.port)
    }

    /// Returns host and port.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn mails(&self) -> MutexGuard<'_, Mails> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when each mail was accepted, of those that arrived after `since`.
    pub(crate) fn times(&self, since: Instant) -> Vec<Instant> {
        self.mails().times.iter().filter(|at| **at > since).copied().collect()
    }

    /// Returns the newest mail to `recipient` that arrived after `since`. Waits for it at most `timeout`.
    ///
    /// # Errors
    /// Returns an error if no such mail arrives in time.
    pub(crate) async fn wait(&self, recipient: &str, since: Instant, timeout: Duration) -> Result<Mail> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(mail) = self.mails().by_recipient.get(recipient).filter(|mail| mail.at > since) {
                return Ok(mail.clone());
            }
            if Instant::now() > deadline {
                bail!("no mail to {recipient} arrived within {timeout:?}");
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Serves one SMTP connection until the client closes it.
    async fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 bench\r\n").await?;
        let (mut line, mut recipient) = (Vec::new(), String::new());
        loop {
            line.clear();
            if stream.read_until(b'\n', &mut line).await? == 0 {
                return Ok(());
            }
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            let reply = match text.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await?;
                    self.record(&recipient, &read_data(&mut stream).await?);
                    "250 accepted\r\n"
                }
                "RCPT" => {
                    recipient = text.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    "250 ok\r\n"
                }
                "QUIT" => return stream.write_all(b"221 bye\r\n").await,
                _ => "250 ok\r\n",
            };
            stream.write_all(reply.as_bytes()).await?;
        }
    }

    fn record(&self, recipient: &str, text: &str) {
        let mail = Mail { at: Instant::now(), secret: secret(text) };
        let mut mails = self.mails();
        mails.times.push(mail.at);
        // Notices, such as the one to a new staff user, are not waited for.
        if mail.secret.is_some() {
            mails.by_recipient.insert(recipient.into(), mail);
        }
    }
}

/// Reads a mail up to the line that holds only a dot.
async fn read_data(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut data = Vec::with_capacity(8_192);
    while stream.read_until(b'\n', &mut data).await? > 0 && !data.ends_with(b"\r\n.\r\n") {}
    Ok(String::from_utf8_lossy(&data).into_owned())
}

/// Returns the text after `#token=`, or else the first line of exactly six digits.
fn secret(text: &str) -> Option<String> {
    // Decodes only the parts of quoted-printable (RFC 2045 §6.7) that can occur inside a secret.
    let text = text.replace("=\r\n", "").replace("=3D", "=");
    if let Some((_, rest)) = text.split_once("#token=") {
        return Some(rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect());
    }
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
    text.lines().find(is_code).map(Into::into)
}
