//! `portico mail`: tests whether mail can be sent, shows the mail log, and sends failed mails again.

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, Subcommand, ValueEnum};
use portico_domain::{
    entity::{
        EmailId,
        email::{self, Kind, Status},
    },
    platform::{
        app::App,
        clock::Time,
        email_address::EmailAddress,
        error::Error,
        mail::{self, MailFilter, RetryCaller},
    },
};
use serde_json::{Value, json};
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
    /// Shows the mail log of all tenants, with personal mail, newest first: what became of each mail, and the last
    /// answer of the mail server.
    Log {
        #[command(flatten)]
        selector: MailSelector,
        /// Only mails with this status.
        #[arg(long)]
        status: Option<MailStatus>,
        /// The largest number of mails to show.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        limit: u64,
        /// Prints a JSON object in each line.
        #[arg(long)]
        json: bool,
    },
    /// Sends failed mails again, each with a new link or code, unless what it carried has expired or was withdrawn.
    Retry {
        /// The ids of the mails, without further filters.
        #[arg(conflicts_with_all = ["kind", "to", "since", "until"])]
        ids: Vec<Uuid>,
        #[command(flatten)]
        selector: MailSelector,
        /// Every failed mail that matches the other filters, of the newest 10,000, without those that may have arrived.
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
        MailFilter { status: None, kind: self.kind, recipient: self.to, from: self.since, to: self.until }
    }
}

/// Runs a command of `portico mail`.
///
/// # Errors
/// Returns an error if the process cannot start, if the test mail was not sent, or if a mail cannot be sent again.
pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    match command {
        Command::Test { to } => test(&bootstrap::app_without_database(&config).await?, to).await,
        Command::Log { selector, status, limit, json } => {
            let filter = MailFilter { status: status.map(Into::into), ..selector.filter() };
            let app = bootstrap::app_for_reading(&config).await?;
            for row in mail::list_all(&app, &filter, limit).await? {
                print(if json { as_json(&row).to_string() } else { line(&row) })?;
            }
            Ok(())
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

/// Returns the line of the mail log for `row`. Times are UTC.
fn line(row: &email::Model) -> String {
    let (at, kind) = (row.created_at.format("%Y-%m-%dT%H:%M:%SZ"), row.kind.name());
    let detail = printable(row.detail.as_deref().unwrap_or("-"));
    let (id, recipient, outcome) = (row.id, &row.recipient, outcome(row));
    format!("{id}  {at}  {kind}  {recipient}  {outcome}  attempts {}  {detail}", row.attempts)
}

/// Returns the status of the mail, with the reason if it has failed, such as `failed (recipient_refused)`.
pub(super) fn outcome(row: &email::Model) -> String {
    let status = match row.status {
        Status::Queued => "queued",
        Status::Sent => "sent",
        Status::Failed => "failed",
        Status::Suppressed => "suppressed",
    };
    row.reason.as_ref().map_or_else(|| status.into(), |reason| format!("{status} ({reason})"))
}

/// Returns `text` without control characters, so that the words of a mail server cannot control the terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Returns everything that the mail log holds of the mail.
fn as_json(row: &email::Model) -> Value {
    json!({
        "id": row.id.0,
        "kind": row.kind,
        "tenant_id": row.tenant_id.map(|id| id.0),
        "client_id": row.client_id.map(|id| id.0),
        "invitation_id": row.invitation_id.map(|id| id.0),
        "recipient": row.recipient,
        "status": row.status,
        "reason": row.reason,
        "refusal": row.refusal,
        "detail": row.detail,
        "attempts": row.attempts,
        "message_id": row.message_id,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "last_attempt_at": row.last_attempt_at,
        "sent_at": row.sent_at,
        "retried_by": row.retried_by.map(|id| id.0),
    })
}

async fn retry(app: &App, ids: Vec<Uuid>, filter: &MailFilter, all: bool) -> Result<()> {
    let mut refused = 0;
    if ids.is_empty() {
        if !all {
            bail!("name the ids of the mails, or use --all, e.g. portico mail retry --all --kind invitation");
        }
        let done = mail::retry_all(app, RetryCaller::OPERATOR, filter).await?;
        print(format!("Sent {} mails again, skipped {}.", done.retried, done.skipped))?;
        return Ok(());
    }
    for id in ids {
        match mail::retry(app, RetryCaller::OPERATOR, EmailId(id)).await {
            Ok(new) => print(format!("Sent {id} again as {}.", new.id))?,
            Err(Error::ConflictBecause(_) | Error::NotFound(_)) => {
                refused += 1;
                print(format!(
                    "{id} was not sent again: only a failed mail that was not sent again before can be, and only while \
                     what it carries makes sense"
                ))?;
            }
            Err(error) => return Err(error).with_context(|| format!("{id} was not sent again")),
        }
    }
    if refused > 0 {
        bail!("{refused} mails were not sent again");
    }
    Ok(())
}

fn parse_kind(text: &str) -> Result<Kind, String> {
    let names = || Kind::all().map(Kind::name).collect::<Vec<_>>().join(", ");
    Kind::all().find(|kind| kind.name() == text).ok_or_else(|| format!("must be one of {}", names()))
}
