//! `portico audit`: reads and verifies the audit log.

use std::{fmt, io::Write};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use portico_domain::{
    entity::{
        ClientId,
        audit_event::{self, Model},
    },
    platform::{
        app::App,
        audit::{self, AuditFilter, ChainHead, ChainReport, Export, Scope, Status},
        clock::Time,
        error::Error,
        page::PageRequest,
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::print;
use crate::{bootstrap, config::Config};

/// The commands of `portico audit`. None of them changes the database.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists events, newest first.
    List {
        #[command(flatten)]
        chain: Chain,
        #[command(flatten)]
        filter: Filter,
        /// The largest number of events.
        #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        limit: u64,
        /// Prints a JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Prints all events as lines of JSON, newest first. The last line is {"end":true,"count":N}.
    Export {
        #[command(flatten)]
        chain: Chain,
        #[command(flatten)]
        filter: Filter,
        /// Accepted because the other commands have it; the output is JSON in any case.
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
    Verify {
        #[command(flatten)]
        chain: Chain,
        /// A head from the log ("head of the audit log"), as SEQUENCE:MAC. The chain must contain it. Needs --tenant or
        /// --installation.
        #[arg(long, value_name = "SEQUENCE:MAC")]
        head: Option<ChainHead>,
        /// Prints a JSON object per chain.
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
    #[arg(long)]
    actor: Option<Uuid>,
    /// Only events with this action, for example session.opened.
    #[arg(long)]
    action: Option<String>,
    /// Only events whose target has this id.
    #[arg(long)]
    target: Option<Uuid>,
    /// Only events that concern the client with this id.
    #[arg(long, value_name = "ID")]
    client: Option<Uuid>,
    /// Only events with this outcome.
    #[arg(long)]
    outcome: Option<Outcome>,
    /// Only events at this time or later, for example 2026-11-26T12:00:00Z.
    #[arg(long, value_name = "TIME")]
    from: Option<Time>,
    /// Only events before this time.
    #[arg(long, value_name = "TIME")]
    to: Option<Time>,
}

/// Whether an action was done.
#[derive(Clone, Copy, ValueEnum)]
enum Outcome {
    Success,
    Failure,
}

/// The error of `portico audit verify` if no chain is broken and one cannot be verified. Its exit code is 3.
#[derive(Debug)]
pub(crate) struct Unverifiable;

impl fmt::Display for Unverifiable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the audit log cannot be verified completely")
    }
}

impl std::error::Error for Unverifiable {}

impl Chain {
    async fn scope(&self, app: &App) -> Result<Scope> {
        match &self.tenant {
            None if self.installation => Ok(Scope::Installation),
            None => Ok(Scope::All),
            Some(slug) => match Scope::of_tenant(app, slug).await {
                Err(Error::NotFound(_)) => bail!("no tenant has this slug"),
                found => Ok(found?),
            },
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
            from: filter.from,
            to: filter.to,
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
            for event in audit::list_in(&app, scope, &filter.into(), &page).await?.data {
                print(if json { to_json(&event).to_string() } else { line(&event) })?;
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
            report(&reports, head.is_some(), json)
        }
    }
}

/// Prints all events of an export.
///
/// An unreadable stdout ends the export without an error, as for `print`.
async fn export(mut export: Export) -> Result<()> {
    let mut count = 0;
    while let Some(events) = export.next_page().await? {
        count += events.len();
        let lines: String = events.iter().map(|event| format!("{}\n", to_json(event))).collect();
        match std::io::stdout().write_all(lines.as_bytes()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            written => written.context("cannot write to stdout")?,
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

/// Returns the line of an event for people. Control characters are removed, so that they cannot control the terminal.
fn line(event: &Model) -> String {
    let actor = event.actor_address.as_deref().or(event.actor_name.as_deref());
    let realm = json!(event.actor_realm);
    let actor = actor.unwrap_or_else(|| realm.as_str().unwrap_or_default());
    let target = match (&event.target_kind, event.target_id) {
        (Some(kind), Some(id)) => format!("{kind} {id}"),
        _ => "–".into(),
    };
    let outcome = match event.outcome {
        audit_event::Outcome::Success => "success",
        audit_event::Outcome::Failure => "failure",
    };
    let sequence = event.sequence.map_or_else(|| "–".to_owned(), |sequence| sequence.to_string());
    let at = event.at.format("%Y-%m-%dT%H:%M:%SZ");
    let line = format!("{at}  {sequence:>8}  {outcome}  {:30}  {actor}  {target}", event.action);
    line.chars().filter(|c| !c.is_control()).collect()
}

/// Prints the reports of the chains, and returns an error unless every chain is intact.
fn report(reports: &[ChainReport], has_head: bool, as_json: bool) -> Result<()> {
    for report in reports {
        print(if as_json { report_json(report).to_string() } else { report_text(report) })?;
    }
    let count = |status| reports.iter().filter(|report| report.status() == status).count();
    let (broken, unverifiable) = (count(Status::Broken), count(Status::Unverifiable));
    if !as_json {
        if !has_head {
            print(
                "Without --head, events that were removed from the end of a chain are not found. The log has the heads: \
                 \"head of the audit log\".",
            )?;
        }
        print(
            "Events of about the last 10 seconds are not sealed yet and not covered. The chain protects against an \
             attacker with the database alone, not against one with PORTICO_SECRET.",
        )?;
    }
    if broken > 0 {
        bail!("{broken} of {} chains of the audit log are broken", reports.len());
    }
    if unverifiable > 0 { Err(Unverifiable.into()) } else { Ok(()) }
}

/// Returns the name of a status.
fn status_name(status: Status) -> &'static str {
    match status {
        Status::Intact => "intact",
        Status::Broken => "broken",
        Status::Unverifiable => "unverifiable",
    }
}

fn report_text(report: &ChainReport) -> String {
    let mut text = format!("{}: {}, {} events", report.name, status_name(report.status()), report.events);
    if report.cut_at > 0 {
        text += &format!(" after sequence {}, which the retention has deleted up to", report.cut_at);
    }
    if let Some(sequence) = report.by_checkpoint {
        text += &format!(", up to sequence {sequence} by a checkpoint only");
    }
    if report.erased_values > 0 {
        text += &format!(", {} personal values erased", report.erased_values);
    }
    if report.unsealed > 0 {
        text += &format!(", {} not sealed yet", report.unsealed);
    }
    match (&report.problem, &report.head) {
        (Some(problem), _) => text += &format!("\n  {problem}"),
        (None, Some(head)) => text += &format!("\n  head {head}"),
        (None, None) => {}
    }
    text
}

fn report_json(report: &ChainReport) -> Value {
    let problem = report.problem.as_ref().map(
        |problem| json!({ "sequence": problem.sequence, "finding": problem.finding.name(), "detail": problem.detail }),
    );
    json!({
        "chain": report.name,
        "status": status_name(report.status()),
        "events": report.events,
        "cut_at": report.cut_at,
        "head": report.head.as_ref().map(ToString::to_string),
        "verified_by_checkpoint_up_to": report.by_checkpoint,
        "unsealed": report.unsealed,
        "erased_values": report.erased_values,
        "problem": problem,
    })
}
