//! The transport that sends mail to an SMTP server.

use std::time::{Duration, SystemTime};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{Header, HeaderName, HeaderValue},
    },
    transport::smtp::{
        Error, PoolConfig,
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use portico_entity::background_job::Lane;
use tokio::time::timeout;
use tracing::{Instrument, error, field, info_span};

use super::{
    MailError, Message,
    settings::{Encryption, SmtpServer},
};
use crate::platform::{
    clock::Time,
    metrics::{self, MailOutcome},
};

/// The time limit for connecting to the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit for sending one mail, from connecting to the final reply of the server. lettre's own timeout covers
/// connecting only.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection may be idle before it is closed, which is earlier than servers usually close it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// The maximum number of connections in each of the two pools.
const MAX_CONNECTIONS: u32 = 16;
/// The maximum length of a stored reply of the server, in characters. Longer replies are cut.
const MAX_REPLY_CHARS: usize = 300;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// A client of one SMTP server. It has one connection pool for urgent mail and one for all other mail, so that a mailed
/// code never waits behind bulk mail.
pub struct Smtp {
    from: Mailbox,
    urgent: Transport,
    bulk: Transport,
}

impl Smtp {
    /// Creates a client of `server` that sends mail from the mailbox `from`. Does not connect yet.
    ///
    /// # Errors
    /// A sentence that names `MAIL_URL`, if the certificate cannot be read or TLS cannot be configured.
    pub(super) fn new(server: &SmtpServer, from: Mailbox) -> Result<Self, String> {
        Ok(Self { from, urgent: transport(server)?, bulk: transport(server)? })
    }

    /// Sends `message` over a connection for `lane`, dated `now`, and returns the reply of the server.
    ///
    /// # Errors
    /// See [`MailError`].
    pub(super) async fn send(&self, lane: Lane, message: &Message, now: Time) -> Result<String, MailError> {
        let span = info_span!("smtp", lane = lane.name(), outcome = field::Empty);
        let sent = self.send_now(lane, message, now).instrument(span.clone()).await;
        let outcome = match &sent {
            Ok(_) => MailOutcome::Sent,
            Err(MailError::Permanent(_)) => MailOutcome::Failed,
            Err(MailError::Transient(_)) => MailOutcome::Transient,
            Err(MailError::Down(_)) => MailOutcome::Down,
        };
        span.record("outcome", outcome.name());
        sent
    }

    /// Connects to the server and signs in, without sending a mail.
    ///
    /// # Errors
    /// The reply of the server, or what failed.
    pub(super) async fn check(&self) -> Result<String, String> {
        match timeout(SEND_TIMEOUT, self.urgent.test_connection()).await {
            Err(_) => Err(format!("no reply within {} seconds", SEND_TIMEOUT.as_secs())),
            Ok(Err(error)) => Err(shorten(&failure_text(&error))),
            Ok(Ok(false)) => Err("the server does not answer".into()),
            Ok(Ok(true)) => Ok("the mail server accepts the connection and the credentials".into()),
        }
    }

    async fn send_now(&self, lane: Lane, message: &Message, now: Time) -> Result<String, MailError> {
        let transport = match lane {
            Lane::Urgent => &self.urgent,
            Lane::Bulk | Lane::Maintenance => &self.bulk,
        };
        let mail = self.build(message, now).map_err(MailError::Permanent)?;
        match timeout(SEND_TIMEOUT, transport.send(mail)).await {
            Err(_) => Err(MailError::Down(format!("no reply within {} seconds", SEND_TIMEOUT.as_secs()))),
            Ok(Err(error)) => Err(classify(&error)),
            Ok(Ok(response)) => Ok(shorten(&response.message().collect::<Vec<_>>().join(" "))),
        }
    }

    fn build(&self, message: &Message, now: Time) -> Result<lettre::Message, String> {
        // lettre parses the address again, so that only a valid address is ever sent to the server.
        let to = message.to.as_str().parse().map_err(|error| format!("the recipient is not an address: {error}"))?;
        lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(message.subject.clone())
            .date(SystemTime::from(now))
            .message_id(Some(message.message_id.clone()))
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(message.text.clone(), message.html.clone()))
            .map_err(|error| error.to_string())
    }
}

fn transport(server: &SmtpServer) -> Result<Transport, String> {
    let tls = match server.encryption {
        Encryption::None => Tls::None,
        Encryption::Implicit => Tls::Wrapper(tls_parameters(server)?),
        Encryption::Required => Tls::Required(tls_parameters(server)?),
        Encryption::Opportunistic => Tls::Opportunistic(tls_parameters(server)?),
    };
    let mut builder = Transport::builder_dangerous(&server.host)
        .port(server.port)
        .tls(tls)
        .timeout(Some(CONNECT_TIMEOUT))
        .pool_config(PoolConfig::new().max_size(MAX_CONNECTIONS).idle_timeout(IDLE_TIMEOUT));
    if let Some((user, password)) = &server.credentials {
        builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
    }
    Ok(builder.build())
}

fn tls_parameters(server: &SmtpServer) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(server.host.clone());
    if let Some(path) = &server.ca {
        let certificate = std::fs::read(path)
            .map_err(|error| error.to_string())
            .and_then(|pem| Certificate::from_pem(&pem).map_err(|error| error.to_string()))
            .map_err(|error| format!("cannot read the certificate {} of MAIL_URL: {error}", path.display()))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(|error| format!("cannot configure TLS for MAIL_URL: {error}"))
}

/// Converts an error of lettre into a [`MailError`], by the reply code of the server (RFC 5321 §4.2.1).
///
/// A 5yz reply is permanent, except 530, 534, 535 and 538: they refuse Portico's credentials (RFC 4954 §6), which says
/// nothing about the mail, so the server counts as unavailable. A 4yz reply is transient. If there is no reply, the
/// server counts as unavailable.
fn classify(failure: &Error) -> MailError {
    let reply = shorten(&failure_text(failure));
    let Some(code) = failure.status().map(|code| code.to_string()) else { return MailError::Down(reply) };
    if ["530", "534", "535", "538"].contains(&code.as_str()) {
        metrics::credentials_refused();
        error!(code, "the mail server refuses the credentials of MAIL_URL; mail stays queued");
        return MailError::Down(reply);
    }
    if failure.is_permanent() { MailError::Permanent(reply) } else { MailError::Transient(reply) }
}

/// Returns the text of the error and of all its causes, separated by colons.
fn failure_text(failure: &Error) -> String {
    let mut text = failure.to_string();
    let mut source = std::error::Error::source(failure);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Removes control characters from `reply` and cuts it to `MAX_REPLY_CHARS` characters.
fn shorten(reply: &str) -> String {
    reply.chars().filter(|c| !c.is_control()).take(MAX_REPLY_CHARS).collect()
}

/// The header `Auto-Submitted: auto-generated` (RFC 3834 §5), which tells automatic responders not to answer.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}
