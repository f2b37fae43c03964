//! The SMTP client: connections to one mail server, and what its answers mean.
//!
//! The messages, addresses and MIME parts come from lettre, and `Delivery` implements its `AsyncTransport`. The
//! connection is Portico's own: `docs/decisions/0013-our-own-smtp-connection.md` gives the reasons.

mod connection;
mod failure;
mod outcome;
mod reply;
mod settings;
mod slots;
mod tls;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use lettre::{AsyncTransport, address::Envelope};
use tokio::time::{Instant, sleep, timeout};
use url::{Host, Url};

pub(crate) use connection::BeforeDot;
pub(crate) use failure::{Cause, Failure, Stage};
pub(crate) use outcome::{Circumstances, Outcome, Verdict, verdict};
pub(crate) use reply::Reply;
pub use settings::{Encryption, SendRate, SmtpServer, Trust};

pub(crate) use slots::Slot;

use self::{
    connection::{Connection, Connector},
    slots::Slots,
    tls::Tls,
};

/// After this time, a mail that the server has not accepted yet gives its slot back and goes on without one.
const SLOT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection may be idle before it is closed, which is earlier than servers usually close it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A client of one SMTP server. It keeps connections open for the next mails.
pub(crate) struct Smtp {
    connector: Connector,
    slots: Arc<Slots>,
    idle: Arc<Mutex<IdleConnections>>,
}

/// The connections that wait for the next mail, the last used one at the end.
#[derive(Default)]
struct IdleConnections {
    connections: Vec<IdleConnection>,
    /// Whether a task closes those that have been idle for too long.
    is_swept: bool,
}

struct IdleConnection {
    connection: Connection,
    since: Instant,
}

/// The transport for one mail.
pub(crate) struct Delivery<'a, 'b> {
    smtp: &'a Smtp,
    slot: Mutex<Option<Slot>>,
    before_dot: &'a BeforeDot<'b>,
}

impl Smtp {
    /// Creates a client of `server`, which EHLO greets with the host of `public_url` by default. Does not connect yet.
    ///
    /// # Errors
    /// A sentence that names `MAIL_URL`, if the certificate of `?ca=` cannot be read or TLS cannot be configured.
    pub(crate) fn new(server: &SmtpServer, public_url: &Url) -> Result<Self, String> {
        let tls = Tls::new(server)?;
        let ehlo = server.ehlo.clone().unwrap_or_else(|| match public_url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => format!("[{address}]"),
            Some(Host::Ipv6(address)) => format!("[IPv6:{address}]"),
            None => "localhost".to_owned(),
        });
        let slots = Arc::new(Slots::new(server.connections, server.rate));
        Ok(Self { connector: Connector { server: server.clone(), tls, ehlo }, slots, idle: Arc::default() })
    }

    /// Returns the server.
    pub(crate) fn server(&self) -> &SmtpServer {
        &self.connector.server
    }

    /// Waits for a slot for one mail, and for the rate. Some slots are kept free for urgent mail.
    pub(crate) async fn slot(&self, is_urgent: bool) -> Slot {
        self.slots.acquire(is_urgent).await
    }

    /// Returns the transport for one mail, which has this slot. `before_dot` is asked before the mail is handed over.
    pub(crate) fn delivery<'a, 'b>(&'a self, slot: Slot, before_dot: &'a BeforeDot<'b>) -> Delivery<'a, 'b> {
        Delivery { smtp: self, slot: Mutex::new(Some(slot)), before_dot }
    }

    /// Closes the idle connections, because the server refuses new ones like them.
    pub(crate) fn close_idle_connections(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        for old in idle.connections.drain(..) {
            tokio::spawn(old.connection.quit());
        }
    }

    /// Halves the number of slots, because the server has said that it is overloaded.
    pub(crate) fn use_fewer_connections(&self) {
        self.slots.halve();
    }

    /// Pauses for a moment, because the server takes no mail now. Consecutive pauses grow.
    pub(crate) fn pause(&self) {
        self.slots.pause();
    }

    /// Ends the pauses, because the server takes mail: it has answered a recipient or a text.
    pub(crate) fn resume(&self) {
        self.slots.resume();
    }

    /// Connects, logs in if there are credentials, and says goodbye.
    ///
    /// # Errors
    /// A [`Failure`] of one of the stages up to AUTH.
    pub(crate) async fn check(&self) -> Result<(), Failure> {
        self.connector.connect().await?.quit().await;
        Ok(())
    }

    /// Sends a mail over an idle connection or a new one, and returns the connection with the reply.
    async fn converse(
        &self,
        envelope: &Envelope,
        text: &[u8],
        before_dot: &BeforeDot<'_>,
    ) -> Result<(Reply, Connection), Failure> {
        let limit = self.connector.server.answer;
        if let Some(mut connection) = self.take_idle() {
            match connection.send(envelope, text, before_dot, limit).await {
                // The server has closed the connection while it was idle, or has ended the session in another way. A
                // new connection shows what the server says to this mail.
                Err(Failure { stage: Stage::Mail, .. }) => {}
                sent => return with_connection(sent, connection),
            }
        }
        let mut connection = self.connector.connect().await?;
        let sent = connection.send(envelope, text, before_dot, limit).await;
        with_connection(sent, connection)
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let last = idle.connections.pop().filter(|last| last.since.elapsed() < IDLE_TIMEOUT);
        last.map(|last| last.connection).and_then(|mut connection| connection.is_quiet().then_some(connection))
    }

    /// Keeps `connection` for the next mail. A task closes it when it has been idle for too long.
    fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.connections.push(IdleConnection { connection, since: Instant::now() });
        if !std::mem::replace(&mut idle.is_swept, true) {
            tokio::spawn(close_idle(self.idle.clone()));
        }
    }
}

/// Returns the connection with the reply. After a failure the connection is closed.
fn with_connection(sent: Result<Reply, Failure>, connection: Connection) -> Result<(Reply, Connection), Failure> {
    match sent {
        Ok(reply) => Ok((reply, connection)),
        Err(failure) => {
            // Otherwise the server does not wait for a command, and QUIT could become part of a mail.
            if matches!(failure.cause, Cause::Reply(_)) {
                tokio::spawn(connection.quit());
            }
            Err(failure)
        }
    }
}

/// Closes connections that have been idle for [`IDLE_TIMEOUT`], until none is left.
async fn close_idle(idle: Arc<Mutex<IdleConnections>>) {
    loop {
        sleep(IDLE_TIMEOUT / 4).await;
        let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = |idle: &IdleConnection| idle.since.elapsed() >= IDLE_TIMEOUT;
        for old in idle.connections.extract_if(.., |idle| is_old(idle)) {
            tokio::spawn(old.connection.quit());
        }
        if idle.connections.is_empty() {
            idle.is_swept = false;
            return;
        }
    }
}

#[async_trait]
impl AsyncTransport for Delivery<'_, '_> {
    type Ok = Reply;
    type Error = Failure;

    /// Sends one mail. Its slot is free again after 30 seconds, or when this value is dropped.
    async fn send_raw(&self, envelope: &Envelope, email: &[u8]) -> Result<Reply, Failure> {
        let take_slot = || self.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut conversation = std::pin::pin!(self.smtp.converse(envelope, email, self.before_dot));
        let sent = match timeout(SLOT_TIMEOUT, &mut conversation).await {
            Ok(sent) => sent,
            Err(_) => {
                drop(take_slot());
                conversation.await
            }
        };
        let (reply, mut connection) = sent?;
        self.smtp.slots.accepted();
        let has_slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if has_slot && reply.is_complete && connection.is_quiet() {
            self.smtp.keep(connection);
        } else {
            tokio::spawn(connection.quit());
        }
        Ok(reply)
    }
}
