//! `portico audit`: reads and verifies the audit log.

mod report;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use portico_domain::{
    entity::{
        ClientId,
        audit_event::{self, Model},
    },
    platform::{
        app::App,
        audit::{self, AuditFilter, ChainHead, Export, Scope},
        clock::Time,
        page::PageRequest,
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    arguments::{explain_tenant, parse_id, parse_time, whole_number},
    output::{self, Listing, print, time},
};
use crate::{bootstrap, config::Config};

pub(crate) use report::Unverifiable;

/// The commands of `portico audit`. None of them changes the database.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists events, newest first.
    #[command(after_help = "Examples:
  portico audit list --tenant acme
  portico audit list --tenant acme --action session.opened --since 2026-11-26T12:00:00Z
  portico audit list --installation --json")]
    List {
        #[command(flatten)]
        chain: Chain,
        #[command(flatten)]
        filter: Filter,
        /// The largest number of events.
        #[arg(long, default_value_t = 25, value_parser = whole_number(1..=10_000, "events", 25))]
        limit: u64,
        /// Prints a JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Prints all events as lines of JSON, newest first. The last line is {"end":true,"count":N}.
    #[command(after_help = "Examples:
  portico audit export > events.ndjson
  portico audit export --tenant acme --since 2026-11-01T00:00:00Z --until 2026-12-01T00:00:00Z")]
    Export {
        #[command(flatten)]
        chain: Chain,
        #[command(flatten)]
        filter: Filter,
        /// Changes nothing: the output is a JSON object in each line in any case, because it may be long.
        #[arg(long)]
        json: bool,
    },
    /// Verifies that no sealed event was changed or removed.
    ///
    /// Exits with 0 if every chain is intact, with 1 if one is broken, and with 3 if none is broken but an entry of
    /// PORTICO_SECRET that sealed one is missing.
    ///
    /// The chain protects against an attacker who has the database alone, and not against one who has PORTICO_SECRET
    /// too. Events of about the last 10 seconds are not sealed yet. Events that were removed from the end are found
    /// only with --head.
    #[command(after_help = "Examples:
  portico audit verify
  portico audit verify --tenant acme --head SEQUENCE:MAC
  portico audit verify --json")]
    Verify {
        #[command(flatten)]
        chain: Chain,
        /// A head from the log ("head of the audit log"), as SEQUENCE:MAC. The chain must contain it. Needs --tenant or
        /// --installation.
        #[arg(long, value_name = "SEQUENCE:MAC")]
        head: Option<ChainHead>,
        /// Prints a JSON array with an object for each chain.
        #[arg(long)]
        json: bool,
    },
}

/// Which part of the audit log a command reads. Without an argument, everything.
#[derive(Args)]
pub(super) struct Chain {
    /// Only the events of the tenant with this slug.
    #[arg(long, value_name = "SLUG", conflicts_with = "installation")]
    tenant: Option<String>,
    /// Only the events of no tenant.
    #[arg(long)]
    installation: bool,
}

/// Which events a command prints.
#[derive(Args)]
pub(super) struct Filter {
    /// Only events of the actor with this id.
    #[arg(long, value_name = "ID", value_parser = parse_id)]
    actor: Option<Uuid>,
    /// Only events with this action, for example session.opened.
    #[arg(long)]
    action: Option<String>,
    /// Only events whose target has this id.
    #[arg(long, value_name = "ID", value_parser = parse_id)]
    target: Option<Uuid>,
    /// Only events that concern the client with this id.
    #[arg(long, value_name = "ID", value_parser = parse_id)]
    client: Option<Uuid>,
    /// Only events with this outcome.
    #[arg(long)]
    outcome: Option<Outcome>,
    /// Only events at this time or later, for example 2026-11-26T12:00:00Z.
    #[arg(long, alias = "from", value_name = "TIME", value_parser = parse_time)]
    since: Option<Time>,
    /// Only events before this time.
    #[arg(long, alias = "to", value_name = "TIME", value_parser = parse_time)]
    until: Option<Time>,
}

/// Whether an action was done.
#[derive(Clone, Copy, ValueEnum)]
enum Outcome {
    Success,
    Failure,
}

impl Command {
    /// Returns whether the command needs only the settings of the database. `verify` also needs `PORTICO_SECRET`.
    pub(super) fn needs_database_only(&self) -> bool {
        !matches!(self, Self::Verify { .. })
    }
}

impl Chain {
    async fn scope(&self, app: &App) -> Result<Scope> {
        match &self.tenant {
            None if self.installation => Ok(Scope::Installation),
            None => Ok(Scope::All),
            Some(slug) => Scope::of_tenant(app, slug).await.map_err(|error| explain_tenant(error, slug)),
        }
    }
}

impl From<Filter> for AuditFilter {
    fn from(filter: Filter) -> Self {
        Self {
            actor: filter.actor,
            action: filter.action,
            target: filter.target,
            client: filter.client.map(ClientId),
            outcome: filter.outcome.map(|outcome| match outcome {
                Outcome::Success => audit_event::Outcome::Success,
                Outcome::Failure => audit_event::Outcome::Failure,
            }),
            from: filter.since,
            to: filter.until,
        }
    }
}

/// Runs a command of `portico audit`.
///
/// # Errors
/// Returns an error if the process cannot start, if no tenant has the slug, if the database fails, or if a chain is
/// broken or cannot be verified ([`Unverifiable`]).
pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    let app = bootstrap::app_for_reading(&config).await?;
    match command {
        Command::List { chain, filter, limit, json } => {
            let scope = chain.scope(&app).await?;
            let page = PageRequest::new(limit, None)?;
            let events = audit::list_in(&app, scope, &filter.into(), &page).await?;
            LISTING.print(&events.data, json, "No events match.")?;
            if events.next_cursor.is_some() {
                tracing::warn!(limit, "there are more entries; use --limit or `portico audit export`");
            }
            Ok(())
        }
        Command::Export { chain, filter, json: _ } => {
            let scope = chain.scope(&app).await?;
            export(Export::of(&app, scope, filter.into())).await
        }
        Command::Verify { chain, head, json } => {
            let scope = chain.scope(&app).await?;
            if head.is_some() && scope == Scope::All {
                bail!("--head is the head of one chain; add --tenant SLUG or --installation");
            }
            let reports = audit::verify(&app, scope, head.as_ref()).await?;
            report::report(&reports, head.is_some(), json)
        }
    }
}

/// Prints all events of an export.
///
/// If the reader closes stdout, the export ends without an error.
async fn export(mut export: Export) -> Result<()> {
    let mut count = 0;
    while let Some(events) = export.next_page().await? {
        count += events.len();
        let lines: String = events.iter().map(|event| format!("{}\n", to_json(event))).collect();
        if !output::write(lines.as_bytes()).context("cannot write to stdout")? {
            return Ok(());
        }
    }
    print(format!("{{\"end\":true,\"count\":{count}}}"))
}

/// Returns the event as the API shows it, with what only operators see: the tenant, the address and the user agent.
fn to_json(event: &Model) -> Value {
    json!({
        "id": event.id,
        "sequence": event.sequence,
        "at": event.at,
        "tenant_id": event.tenant_id,
        "actor": {
            "realm": event.actor_realm,
            "id": event.actor_id,
            "name": event.actor_name,
            "address": event.actor_address,
        },
        "action": event.action,
        "target": event.target_id.map(|id| json!({ "kind": event.target_kind, "id": id })),
        "client_id": event.client_id,
        "ip": event.ip,
        "user_agent": event.user_agent,
        "request_id": event.request_id,
        "outcome": event.outcome,
        "details": event.details,
    })
}

/// How a list of events is printed.
const LISTING: Listing<Model, 6> = Listing {
    columns: ["AT", "SEQUENCE", "OUTCOME", "ACTION", "ACTOR", "TARGET"],
    row: |event| {
        let actor = event.actor_address.as_deref().or(event.actor_name.as_deref()).map(str::to_owned);
        let target = event.target_kind.as_ref().zip(event.target_id).map(|(kind, id)| format!("{kind} {id}"));
        [
            time(event.at),
            event.sequence.map(|sequence| sequence.to_string()).unwrap_or_default(),
            outcome_name(event.outcome).to_owned(),
            event.action.clone(),
            actor.unwrap_or_else(|| json!(event.actor_realm).as_str().unwrap_or_default().to_owned()),
            target.unwrap_or_default(),
        ]
    },
    to_json,
};

fn outcome_name(outcome: audit_event::Outcome) -> &'static str {
    match outcome {
        audit_event::Outcome::Success => "success",
        audit_event::Outcome::Failure => "failure",
    }
}
