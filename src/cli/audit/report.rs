//! What `portico audit verify` prints.

use std::fmt;

use anyhow::{Result, bail};
use portico_domain::platform::audit::{ChainReport, Status};
use serde_json::{Value, json};

use crate::cli::output::{count, print, print_json_array};

/// The error of `portico audit verify` if no chain is broken and one cannot be verified. Its exit code is 3.
#[derive(Debug)]
pub(crate) struct Unverifiable;

impl fmt::Display for Unverifiable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the audit log cannot be verified completely")
    }
}

impl std::error::Error for Unverifiable {}

/// Prints the reports of the chains, and returns an error unless every chain is intact.
pub(super) fn report(reports: &[ChainReport], has_head: bool, as_json: bool) -> Result<()> {
    if as_json {
        print_json_array(reports.iter().map(report_json))?;
    } else if reports.is_empty() {
        print("The audit log has no sealed events.")?;
    }
    for report in reports.iter().filter(|_| !as_json) {
        print(report_text(report))?;
    }
    let number = |status| reports.iter().filter(|report| report.status() == status).count();
    let (broken, unverifiable) = (number(Status::Broken), number(Status::Unverifiable));
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
    let mut text = format!("{}: {}, {}", report.name, status_name(report.status()), count(report.events, "event"));
    if report.cut_at > 0 {
        text += &format!(" after sequence {}, which the retention has deleted up to", report.cut_at);
    }
    if let Some(sequence) = report.by_checkpoint {
        text += &format!(", up to sequence {sequence} by a checkpoint only");
    }
    if report.erased_values > 0 {
        text += &format!(", {} erased", count(report.erased_values, "personal value"));
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
