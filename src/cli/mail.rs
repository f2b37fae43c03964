//! `portico mail`: tests whether mail can be sent, lists mails, and sends failed ones again.

use anyhow::{Result, anyhow, bail};
use clap::{Args, Subcommand, ValueEnum};
use portico_domain::{
    entity::{
        EmailId,
        email::{Kind, Status},
    },
    platform::{
        app::App,
        clock::Time,
        email_address::EmailAddress,
        mail::{self, MailFilter},
    },
};
use uuid::Uuid;

use super::print;
use crate::{bootstrap, config::Config};

/// The commands of `portico mail`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Sends a test mail immediately, without the job queue, and prints the mail server's reply.
    Test {
        /// The address of the recipient.
        #[arg(long, value_parser = super::parse_email)]
        to: EmailAddress,
    },
    /// Lists mails, newest first, with the last answer of the mail server.
    List {
        #[command(flatten)]
        selector: MailSelector,
        /// Only mails with this status.
        #[arg(long)]
        status: Option<MailStatus>,
        /// The largest number of mails to list.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        limit: u64,
    },
    /// Sends failed mails again, each with a new link or code, unless what it carried has expired.
    Retry {
        /// The ids of the mails.
        ids: Vec<Uuid>,
        #[command(flatten)]
        selector: MailSelector,
        /// Every failed mail that matches the other filters, at most 10,000, without those that may have arrived.
        /// Required if no ids are given.
        #[arg(long, conflicts_with = "ids")]
        all: bool,
    },
}

/// Selects mails: those that match every given filter.
#[derive(Args)]
pub(super) struct MailSelector {
    /// Only mails of this kind, such as `invitation`.
    #[arg(long, value_parser = parse_kind)]
    kind: Option<Kind>,
    /// Only mails to this address.
    #[arg(long, value_parser = super::parse_email)]
    to: Option<EmailAddress>,
    /// Only mails that were requested at this time (RFC 3339) or later.
    #[arg(long)]
    since: Option<Time>,
    /// Only mails that were requested before this time (RFC 3339).
    #[arg(long)]
    until: Option<Time>,
}

/// The status of a mail as an argument: [`Status`].
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum MailStatus {
    /// Waits to be sent.
    Queued,
    /// The mail server has accepted it.
    Sent,
    /// Was given up.
    Failed,
    /// Was deliberately not sent.
    Suppressed,
}

impl From<MailStatus> for Status {
    fn from(status: MailStatus) -> Self {
        match status {
            MailStatus::Queued => Self::Queued,
            MailStatus::Sent => Self::Sent,
            MailStatus::Failed => Self::Failed,
            MailStatus::Suppressed => Self::Suppressed,
        }
    }
}

impl MailSelector {
    fn filter(self) -> MailFilter {
        let recipient = self.to.map(|to| to.to_string());
        MailFilter { status: None, kind: self.kind, recipient, from: self.since, to: self.until }
    }
}

/// Runs a command of `portico mail`.
///
/// # Errors
/// Returns an error if the process cannot start, if the test mail was not sent, or if a mail cannot be sent again.
pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    match command {
        Command::Test { to } => test(&bootstrap::app_without_database(&config).await?, to).await,
        Command::List { selector, status, limit } => {
            let filter = MailFilter { status: status.map(Into::into), ..selector.filter() };
            list(&bootstrap::app_for_reading(&config).await?, &filter, limit).await
        }
        Command::Retry { ids, selector, all } => {
            retry(&bootstrap::app(&config).await?, ids, &selector.filter(), all).await
        }
    }
}

async fn test(app: &App, to: EmailAddress) -> Result<()> {
    let reply = mail::send_test(app, to.clone())
        .await
        .map_err(|error| anyhow!("MAIL_URL: the test mail was not sent: {error}"))?;
    print(format!("Sent to {to}. The server answered: {reply}"))?;
    Ok(())
}

async fn list(app: &App, filter: &MailFilter, limit: u64) -> Result<()> {
    for row in mail::list(app, filter, limit).await? {
        let (at, kind) = (row.created_at.format("%Y-%m-%dT%H:%M:%SZ"), row.kind.name());
        let status = match &row.reason {
            Some(reason) => format!("failed ({reason})"),
            None => format!("{:?}", row.status).to_lowercase(),
        };
        let detail = row.detail.as_deref().unwrap_or("-");
        print(format!("{}  {at}  {kind}  {}  {status}  attempts {}  {detail}", row.id, row.recipient, row.attempts))?;
    }
    Ok(())
}

async fn retry(app: &App, ids: Vec<Uuid>, filter: &MailFilter, all: bool) -> Result<()> {
    if ids.is_empty() {
        if !all {
            bail!("name the ids of the mails, or use --all, e.g. portico mail retry --all --kind invitation");
        }
        let done = mail::retry_all(app, filter).await?;
        print(format!("Sent {} mails again, skipped {}.", done.retried, done.skipped))?;
        return Ok(());
    }
    for id in ids {
        match mail::retry(app, EmailId(id)).await {
            Ok(new) => print(format!("Sent {id} again as {new}."))?,
            Err(error) => bail!(
                "{id} was not sent again ({}): only a failed mail that was not sent again before can be, and only until \
                 what it carries expires",
                error.code()
            ),
        }
    }
    Ok(())
}

fn parse_kind(text: &str) -> Result<Kind, String> {
    let names = || Kind::all().map(Kind::name).collect::<Vec<_>>().join(", ");
    Kind::all().find(|kind| kind.name() == text).ok_or_else(|| format!("must be one of {}", names()))
}
