//! `portico remote audit`: the audit log of the tenant.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use portico_domain::{entity::audit_event::Outcome, platform::clock::Time};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use uuid::Uuid;

use super::{
    api_request::ApiRequest,
    audit_export,
    context::{Api, Context},
    failure::Result,
    find,
    output::Row,
    pages::{self, Limit},
    time::rfc3339,
};
use crate::cli::{
    arguments::{one_of, parse_id, parse_time},
    output::time,
};

/// The commands of `portico remote audit`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists events, newest first.
    List(List),
    /// Exports all events, newest first, as lines of JSON or as CSV.
    Export(Export),
}

/// Which events to list.
#[derive(Args)]
#[command(after_help = "\
Examples:
  portico remote audit list --action session.opened --limit 20
  portico remote audit list --client 'Acme Ltd' --outcome failure --json")]
pub(super) struct List {
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    limit: Limit,
}

/// Which events to export, and where to.
#[derive(Args)]
#[command(after_help = "\
The last line of the JSON is {\"end\":true,\"count\":N}. An export without it is incomplete: the command then exits with 1
and does not write FILE. In CSV, an apostrophe stands before a cell that a spreadsheet would read as a formula.

Examples:
  portico remote audit export --output audit.ndjson
  portico remote audit export --csv --since 2026-11-01T00:00:00Z --until 2026-12-01T00:00:00Z --output november.csv")]
pub(super) struct Export {
    #[command(flatten)]
    filter: Filter,
    /// As CSV.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Writes a file, when the export is complete.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Which events a command concerns.
#[derive(Args)]
struct Filter {
    /// Only events of the actor with this id.
    #[arg(long, value_name = "ID", value_parser = parse_id)]
    actor: Option<Uuid>,
    /// Only events with this action, as the list shows it, such as session.opened or invitation.created.
    #[arg(long)]
    action: Option<String>,
    /// Only events whose target has this id.
    #[arg(long, value_name = "ID", value_parser = parse_id)]
    target: Option<Uuid>,
    /// Only events that concern this client: its id, its reference or its name.
    #[arg(long)]
    client: Option<String>,
    /// Only events with this outcome.
    #[arg(long, value_parser = one_of::<Outcome>())]
    outcome: Option<String>,
    /// Only events at this time or later, such as 2026-11-26T12:00:00Z.
    #[arg(long, alias = "from", value_name = "TIME", value_parser = parse_time)]
    since: Option<Time>,
    /// Only events before this time.
    #[arg(long, alias = "to", value_name = "TIME", value_parser = parse_time)]
    until: Option<Time>,
}

impl Filter {
    /// Returns the request for the events, at this path.
    async fn request(self, api: &Api, path: &str) -> Result<ApiRequest> {
        let client = match self.client {
            Some(client) => Some(find::client(api, &client).await?.id),
            None => None,
        };
        let request = ApiRequest::get(path).query("actor", self.actor).query("action", self.action);
        let request = request.query("target", self.target).query("client_id", client).query("outcome", self.outcome);
        Ok(request.query("from", self.since.map(rfc3339)).query("to", self.until.map(rfc3339)))
    }
}

/// An event of the audit log.
#[derive(Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) sequence: Option<i64>,
    pub(super) at: Time,
    pub(super) actor: Actor,
    pub(super) action: String,
    pub(super) target: Option<Target>,
    pub(super) client_id: Option<String>,
    pub(super) ip: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) outcome: String,
    pub(super) details: Box<RawValue>,
}

/// Who caused an event.
#[derive(Deserialize)]
pub(super) struct Actor {
    pub(super) realm: String,
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
}

/// What an event concerns.
#[derive(Deserialize)]
pub(super) struct Target {
    pub(super) kind: String,
    pub(super) id: String,
}

impl Row for Event {
    const PLURAL: &'static str = "events";
    const HEADER: &'static [&'static str] = &["AT", "ACTION", "OUTCOME", "ACTOR", "TARGET", "ADDRESS", "DETAILS"];

    fn cells(self) -> Vec<String> {
        let actor = self.actor.name.unwrap_or(self.actor.realm);
        let target = self.target.map(|target| format!("{} {}", target.kind, target.id)).unwrap_or_default();
        let ip = self.ip.unwrap_or_default();
        vec![time(self.at), self.action, self.outcome, actor, target, ip, compact(&self.details)]
    }
}

/// Returns the details as JSON, or nothing if there are none.
pub(super) fn compact(details: &RawValue) -> String {
    match serde_json::from_str::<Value>(details.get()) {
        Ok(Value::Object(details)) if details.is_empty() => String::new(),
        _ => details.get().to_owned(),
    }
}

/// Runs a command of `portico remote audit`.
///
/// # Errors
/// As for [`Context::token_api`], [`Api::call`], [`find::client`] and [`audit_export::run`].
pub(super) async fn run(context: &Context, command: Command) -> Result<()> {
    let api = context.token_api()?;
    match command {
        Command::List(List { filter, limit }) => {
            let request = filter.request(&api, "/api/v1/audit-events").await?;
            pages::print::<Event>(context, &api, request, &limit).await
        }
        Command::Export(Export { filter, csv, output }) => {
            let request = filter.request(&api, "/api/v1/audit-events/export").await?;
            audit_export::run(&api, &request, csv, output.as_deref()).await
        }
    }
}
