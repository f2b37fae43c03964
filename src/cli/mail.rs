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

use super::{
    arguments::{parse_email, parse_id, parse_time, whole_number},
    output::{Listing, count, print, print_done, time, truncate},
    table::NONE,
    text,
};
use crate::{bootstrap, config::Config};

/// The commands of `portico mail`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Sends a test mail immediately, without the job queue, and prints the mail server's reply.
    #[command(after_help = "Examples:\n  portico mail test --to you@example.com")]
    Test {
        /// The address of the recipient.
        #[arg(long, value_parser = parse_email)]
        to: EmailAddress,
    },
    /// Shows the mail log of all tenants, with personal mail, newest first: what became of each mail, and the last
    /// answer of the mail server.
    #[command(after_help = "Examples:
  portico mail log --to ann@example.com
  portico mail log --status failed --since 2027-01-15T08:00:00Z
  portico mail log --kind invitation --limit 1000 --json")]
    Log {
        #[command(flatten)]
        selector: MailSelector,
        /// Only mails with this status.
        #[arg(long)]
        status: Option<MailStatus>,
        /// The largest number of mails to show.
        #[arg(long, default_value_t = 50, value_parser = whole_number(1..=10_000, "mails", 50))]
        limit: u64,
        /// Prints a JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Shows everything that the mail log holds of one mail.
    #[command(after_help = "Examples:\n  portico mail show 01a1fdba-f86f-76f5-b296-4e548b3691ab")]
    Show {
        /// The id of the mail, as `portico mail log` shows it.
        #[arg(value_parser = parse_id)]
        id: Uuid,
        /// Prints a JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Sends failed mails again, each with a new link or code, unless what it carried has expired or was withdrawn.
    #[command(after_help = "Examples:
  portico mail retry 01a1fdba-f86f-76f5-b296-4e548b3691ab
  portico mail retry --all --kind invitation --since 2027-01-15T08:00:00Z")]
    Retry {
        /// The ids of the mails, without further filters.
        #[arg(conflicts_with_all = ["kind", "to", "since", "until"], value_parser = parse_id)]
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
    #[arg(long, value_parser = parse_email)]
    to: Option<EmailAddress>,
    /// Only mails that were requested at this time or later, for example 2026-11-26T12:00:00Z.
    #[arg(long, alias = "from", value_name = "TIME", value_parser = parse_time)]
    since: Option<Time>,
    /// Only mails that were requested before this time.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
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

impl Command {
    /// Returns whether the command needs only the settings of the database.
    pub(super) fn needs_database_only(&self) -> bool {
        matches!(self, Self::Log { .. } | Self::Show { .. })
    }
}

impl MailSelector {
    fn filter(self) -> MailFilter {
        MailFilter { status: None, kind: self.kind, recipient: self.to, from: self.since, to: self.until }
    }
}

/// What an operator does after mails were sent again.
const NEXT: &str = "`portico mail log` shows what has become of them";

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
            let mut mails = mail::list_all(&app, &filter, limit + 1).await?;
            truncate(&mut mails, limit, "use --limit, or select fewer mails");
            LISTING.print(&mails, json, "No mails match.")
        }
        Command::Show { id, json } => show(&bootstrap::app_for_reading(&config).await?, id, json).await,
        Command::Retry { ids, selector, all } => {
            retry(&bootstrap::app(&config).await?, ids, &selector.filter(), all).await
        }
    }
}

async fn test(app: &App, to: EmailAddress) -> Result<()> {
    let reply = mail::send_test(app, to.clone())
        .await
        .map_err(|error| anyhow!("MAIL_URL: the test mail was not sent: {error}"))?;
    print_done(
        format!("Sent to {to}. The server answered: {reply}"),
        format!("check that the mail has arrived at {to}, and that it is not marked as spam"),
    )
}

/// How the mail log is printed.
const LISTING: Listing<email::Model, 7> = Listing {
    columns: ["ID", "REQUESTED", "KIND", "RECIPIENT", "OUTCOME", "ATTEMPTS", "DETAIL"],
    row: |row| {
        [
            row.id.to_string(),
            time(row.created_at),
            row.kind.name().to_owned(),
            row.recipient.clone(),
            outcome(row),
            row.attempts.to_string(),
            row.detail.clone().unwrap_or_default(),
        ]
    },
    to_json: as_json,
};

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

/// Prints one mail: a line for each value, or a JSON object.
async fn show(app: &App, id: Uuid, json: bool) -> Result<()> {
    let mails = mails_with_ids(app, &[id]).await?;
    for mail in &mails {
        let value = as_json(mail);
        if json {
            return print(value);
        }
        for (label, value) in value.as_object().into_iter().flatten() {
            let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            print(format!("{label:16} {}", if value.is_null() { NONE.into() } else { text::clean(&shown) }))?;
        }
    }
    Ok(())
}

/// Returns the mails with these ids.
///
/// # Errors
/// Returns an error that names an id that no mail has.
async fn mails_with_ids(app: &App, ids: &[Uuid]) -> Result<Vec<email::Model>> {
    let found = mail::by_ids(app, ids).await?;
    match ids.iter().find(|id| !found.iter().any(|mail| mail.id.0 == **id)) {
        Some(id) => bail!("no mail has the id {id}; `portico mail log` shows the mails"),
        None => Ok(found),
    }
}

async fn retry(app: &App, ids: Vec<Uuid>, filter: &MailFilter, all: bool) -> Result<()> {
    if ids.is_empty() {
        if !all {
            bail!("name the ids of the mails, or use --all, e.g. portico mail retry --all --kind invitation");
        }
        let done = mail::retry_all(app, RetryCaller::OPERATOR, filter).await?;
        if done.retried + done.skipped == 0 {
            return print("No failed mails match.");
        }
        return print_done(format!("Sent {} again, skipped {}.", count(done.retried, "mail"), done.skipped), NEXT);
    }
    // A wrong id ends the command before it sends anything.
    mails_with_ids(app, &ids).await?;
    let mut problems = Vec::new();
    for id in &ids {
        match mail::retry(app, RetryCaller::OPERATOR, EmailId(*id)).await {
            Ok(new) => print(format!("Sent {id} again as {}.", new.id))?,
            Err(Error::ConflictBecause(_) | Error::NotFound(_)) => problems.push(format!(
                "{id} was not sent again: only a failed mail that was not sent again before can be, and only while what \
                 it carries makes sense"
            )),
            Err(error) => return Err(error).with_context(|| format!("{id} was not sent again")),
        }
    }
    if problems.len() < ids.len() {
        print(format!("Next: {NEXT}"))?;
    }
    if problems.is_empty() { Ok(()) } else { Err(anyhow!(problems.join("\n"))) }
}

fn parse_kind(text: &str) -> Result<Kind, String> {
    let names = || Kind::all().map(Kind::name).collect::<Vec<_>>().join(", ");
    Kind::all().find(|kind| kind.name() == text).ok_or_else(|| format!("must be one of {}", names()))
}
