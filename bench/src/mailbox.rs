//! An SMTP server (RFC 5321) that takes every mail as fast as it can and remembers when, for whom, and which secret it carried.

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

/// What it has taken.
#[derive(Clone, Default)]
pub(crate) struct Mailbox {
    port: u16,
    mails: Arc<Mutex<Mails>>,
}

#[derive(Default)]
struct Mails {
    times: Vec<Instant>,
    by_recipient: HashMap<String, Mail>,
}

/// The newest mail to somebody.
#[derive(Clone)]
pub(crate) struct Mail {
    /// When its last byte was accepted.
    pub(crate) at: Instant,
    /// The link's secret or the code.
    pub(crate) secret: Option<String>,
}

impl Mailbox {
    /// Listens on a free port.
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mailbox = Self { port: listener.local_addr()?.port(), ..Self::default() };
        let taking = mailbox.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mailbox = taking.clone();
                tokio::spawn(async move { mailbox.converse(stream).await });
            }
        });
        Ok(mailbox)
    }

    /// The `MAIL_URL` by which Portico reaches it: no credentials, so it may be plain.
    pub(crate) fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}?tls=none", self.port)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn mails(&self) -> MutexGuard<'_, Mails> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When each mail was accepted that came after `since`.
    pub(crate) fn times(&self, since: Instant) -> Vec<Instant> {
        self.mails().times.iter().filter(|at| **at > since).copied().collect()
    }

    /// Waits up to `within` for a mail to `recipient` that came after `since`.
    pub(crate) async fn wait(&self, recipient: &str, since: Instant, within: Duration) -> Result<Mail> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(mail) = self.mails().by_recipient.get(recipient).filter(|mail| mail.at > since) {
                return Ok(mail.clone());
            }
            if Instant::now() > deadline {
                bail!("no mail to {recipient} within {within:?}");
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    async fn converse(&self, stream: TcpStream) -> std::io::Result<()> {
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
            let answer = match text.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await?;
                    self.keep(&recipient, &read_data(&mut stream).await?);
                    "250 accepted\r\n"
                }
                "RCPT" => {
                    recipient = text.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    "250 ok\r\n"
                }
                "QUIT" => return stream.write_all(b"221 bye\r\n").await,
                _ => "250 ok\r\n",
            };
            stream.write_all(answer.as_bytes()).await?;
        }
    }

    fn keep(&self, recipient: &str, text: &str) {
        let mail = Mail { at: Instant::now(), secret: secret(text) };
        let mut mails = self.mails();
        mails.times.push(mail.at);
        mails.by_recipient.insert(recipient.into(), mail);
    }
}

async fn read_data(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut data = Vec::with_capacity(8_192);
    while stream.read_until(b'\n', &mut data).await? > 0 && !data.ends_with(b"\r\n.\r\n") {}
    Ok(String::from_utf8_lossy(&data).into_owned())
}

/// What follows `#token=`, or the six digits on a line of their own.
fn secret(text: &str) -> Option<String> {
    // Quoted-printable (RFC 2045 §6.7), as far as it touches a secret.
    let text = text.replace("=\r\n", "").replace("=3D", "=");
    if let Some((_, rest)) = text.split_once("#token=") {
        return Some(rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect());
    }
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
    text.lines().find(is_code).map(Into::into)
}
