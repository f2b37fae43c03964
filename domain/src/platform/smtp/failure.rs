//! Why a mail was not accepted, and at which stage of the conversation with the server.

use std::{fmt, time::Duration};

use super::reply::{Reply, ReplyError};

/// A stage of an SMTP conversation (RFC 5321 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Looking the host up and opening the TCP connection.
    Connect,
    /// STARTTLS and the TLS handshake.
    Tls,
    /// The greeting of the server.
    Greeting,
    /// EHLO or HELO.
    Ehlo,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA and the text of the mail.
    Data,
    /// The final dot. From here on the server may have accepted the mail.
    Dot,
}

impl Stage {
    /// Every stage, in the order of the conversation.
    pub(crate) const ALL: [Self; 9] = [
        Self::Connect,
        Self::Tls,
        Self::Greeting,
        Self::Ehlo,
        Self::Auth,
        Self::Mail,
        Self::Rcpt,
        Self::Data,
        Self::Dot,
    ];

    /// Returns the name in the database and in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Greeting => "greeting",
            Self::Ehlo => "ehlo",
            Self::Auth => "auth",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::Dot => "dot",
        }
    }

    /// Returns how the stage is called in texts for operators.
    const fn title(self) -> &'static str {
        match self {
            Self::Connect => "connecting",
            Self::Tls => "TLS",
            Self::Greeting => "greeting",
            Self::Ehlo => "EHLO",
            Self::Auth => "AUTH",
            Self::Mail => "MAIL FROM",
            Self::Rcpt => "RCPT TO",
            Self::Data => "DATA",
            Self::Dot => "end of data",
        }
    }

    /// Returns how long the server may take, as RFC 5321 §4.5.3.2 says. The limit of the final dot is a setting.
    pub(super) const fn time_limit(self) -> Duration {
        Duration::from_secs(match self {
            Self::Connect => 10,
            Self::Tls => 60,
            Self::Greeting | Self::Ehlo | Self::Auth | Self::Mail | Self::Rcpt => 300,
            Self::Data => 180,
            Self::Dot => 600,
        })
    }
}

/// Why a stage failed.
#[derive(Clone, Debug)]
pub(crate) enum Cause {
    /// The server refused the command, or gave a reply that does not belong here.
    Reply(Reply),
    /// The server did not answer in time.
    Silence,
    /// The connection was refused, closed or reset. The text says how.
    Closed(String),
    /// The server sent something that is not a reply.
    Unparsable,
    /// The connection cannot be set up as configured, for example because the certificate is not valid. The text says
    /// why.
    Setup(String),
    /// The caller did not allow the final dot, so the mail was not sent. The text says why.
    NotAllowed(String),
}

impl Cause {
    /// Returns the word for the cause in the table of outcomes.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Reply(_) => "reply",
            Self::Silence => "silence",
            Self::Closed(_) | Self::NotAllowed(_) => "closed",
            Self::Unparsable => "unparsable",
            Self::Setup(_) => "setup",
        }
    }
}

impl From<ReplyError> for Cause {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::Closed(error) => Self::Closed(error.to_string()),
            ReplyError::Unparsable => Self::Unparsable,
        }
    }
}

impl From<std::io::Error> for Cause {
    fn from(error: std::io::Error) -> Self {
        Self::Closed(error.to_string())
    }
}

/// An attempt to send a mail that the server did not accept.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// The stage that failed.
    pub(crate) stage: Stage,
    /// Why it failed.
    pub(crate) cause: Cause,
}

impl Failure {
    /// Returns the stage and the code of the reply, such as `rcpt 550 5.7.1`, or the stage and what happened. Equal for
    /// all mails that fail in the same way.
    pub(crate) fn kind(&self) -> String {
        let stage = self.stage.name();
        match &self.cause {
            Cause::Reply(reply) => format!("{stage} {}", reply.codes()),
            cause => format!("{stage} {}", cause.word()),
        }
    }
}

/// One sentence for an operator, with the answer of the server.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = self.stage.title();
        match &self.cause {
            // A server may repeat the command, which has the password.
            Cause::Reply(reply) if self.stage == Stage::Auth => write!(f, "{stage}: {}", reply.codes()),
            Cause::Reply(reply) => write!(f, "{stage}: {reply}"),
            Cause::Silence => write!(f, "{stage}: the server did not answer in time"),
            Cause::Closed(why) => write!(f, "{stage}: the connection failed: {why}"),
            Cause::Unparsable => write!(f, "{stage}: the server sent something that is not an SMTP reply"),
            Cause::Setup(why) | Cause::NotAllowed(why) => write!(f, "{stage}: {why}"),
        }
    }
}

impl std::error::Error for Failure {}
