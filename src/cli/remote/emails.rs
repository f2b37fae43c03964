//! `portico remote emails`: the mail log of the tenant.

use clap::{Args, Subcommand};
use portico_domain::{
    entity::email::{Kind, Status},
    platform::clock::Time,
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    api_request::ApiRequest,
    context::Context,
    failure::{Failure, Result},
    output::Row,
    pages::{self, Limit},
    time::rfc3339,
};
use crate::cli::{
    arguments::{one_of, parse_id, parse_time},
    output::{count, time},
};

/// The commands of `portico remote emails`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists mails, newest first.
    List(List),
    /// Sends a failed mail again, or all failed mails that match a filter.
    Retry(Retry),
}

/// Which mails to list.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portico remote emails list --status failed
  portico remote emails list --recipient ann@example.com --since 2026-11-01T00:00:00Z --json")]
pub(super) struct List {
    #[command(flatten)]
    filter: Filter,
    /// Only mails with this status.
    #[arg(long, value_parser = one_of::<Status>())]
    status: Option<String>,
    #[command(flatten)]
    limit: Limit,
}

/// Which mails to send again.
#[derive(Args)]
#[command(after_help = "\
A mail that is sent again has a new link or code. At most 10,000 mails are sent again at once.

Examples:
  portico remote emails retry 01a1fdba-f86f-76f5-b296-4e548b3691ab
  portico remote emails retry --kind invitation --since 2026-11-26T00:00:00Z
  portico remote emails retry --all")]
pub(super) struct Retry {
    /// The id of a mail.
    #[arg(conflicts_with_all = ["all", "kind", "recipient", "since", "until"], value_parser = parse_id)]
    id: Option<Uuid>,
    #[command(flatten)]
    filter: Filter,
    /// All failed mails of the tenant.
    #[arg(long)]
    all: bool,
}

/// Which mails a command concerns.
#[derive(Args)]
struct Filter {
    /// Only mails of this kind, such as invitation or reset.
    #[arg(long, value_parser = one_of::<Kind>())]
    kind: Option<String>,
    /// Only mails to this address.
    #[arg(long, value_name = "ADDRESS")]
    recipient: Option<String>,
    /// Only mails that were created at this time or later, such as 2026-11-26T12:00:00Z.
    #[arg(long, alias = "from", value_name = "TIME", value_parser = parse_time)]
    since: Option<Time>,
    /// Only mails that were created before this time.
    #[arg(long, alias = "to", value_name = "TIME", value_parser = parse_time)]
    until: Option<Time>,
}

impl Filter {
    fn is_empty(&self) -> bool {
        self.kind.is_none() && self.recipient.is_none() && self.since.is_none() && self.until.is_none()
    }
}

#[derive(Deserialize)]
struct EmailRow {
    id: String,
    kind: String,
    recipient: String,
    status: String,
    created_at: Time,
    detail: String,
}

impl Row for EmailRow {
    const PLURAL: &'static str = "mails";
    const HEADER: &'static [&'static str] = &["RECIPIENT", "KIND", "STATUS", "CREATED", "DETAIL", "ID"];

    fn cells(self) -> Vec<String> {
        vec![self.recipient, self.kind, self.status, time(self.created_at), self.detail, self.id]
    }
}

/// The answer to a retry by a filter.
#[derive(Deserialize)]
struct Retried {
    retried: u64,
    skipped: u64,
}

/// Runs a command of `portico remote emails`.
///
/// # Errors
/// As for [`Context::token_api`] and [`Api::call`](super::context::Api::call).
pub(super) async fn run(context: &Context, command: Command) -> Result<()> {
    match command {
        Command::List(List { filter, status, limit }) => {
            let request = ApiRequest::get("/api/v1/emails").query("status", status);
            let request = request.query("kind", filter.kind).query("recipient", filter.recipient);
            let request = request.query("from", filter.since.map(rfc3339)).query("to", filter.until.map(rfc3339));
            pages::print::<EmailRow>(context, &context.token_api()?, request, &limit).await
        }
        Command::Retry(Retry { id: Some(id), .. }) => {
            let request = ApiRequest::post(format!("/api/v1/emails/{id}/retry"));
            let answer = context.token_api()?.call(&request).await?;
            let email: EmailRow = answer.parse()?;
            context.output.done(&answer, format!("Queued the mail to {} again as {}.", email.recipient, email.id))
        }
        Command::Retry(Retry { id: None, filter, all }) => {
            if filter.is_empty() && !all {
                return Err(Failure::usage("name a mail by its id, or which mails by options, or add --all"));
            }
            let (from, to) = (filter.since.map(rfc3339), filter.until.map(rfc3339));
            let body = json!({ "kind": filter.kind, "recipient": filter.recipient, "from": from, "to": to });
            let answer = context.token_api()?.call(&ApiRequest::post("/api/v1/emails/retry").json(&body)).await?;
            let Retried { retried, skipped } = answer.parse()?;
            let sentence =
                format!("Queued {} again. Left out {skipped} that can no longer be sent.", count(retried, "mail"));
            context.output.done(&answer, sentence)
        }
    }
}
