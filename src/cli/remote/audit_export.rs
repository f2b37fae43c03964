//! `portico remote audit export`: writes all events while they arrive.

use std::{
    io::{IsTerminal, stdout},
    mem,
    path::Path,
};

use super::{
    api_request::ApiRequest,
    audit::{Event, compact},
    audit_lines::{Arrived, Line, Lines},
    context::Api,
    export_target::Target,
    failure::{Failure, Result},
    terminal,
    time::rfc3339,
};
use crate::cli::{output, text};

/// The columns of the CSV.
const COLUMNS: [&str; 14] = [
    "at",
    "sequence",
    "action",
    "outcome",
    "actor_realm",
    "actor_id",
    "actor_name",
    "target_kind",
    "target_id",
    "client_id",
    "ip",
    "request_id",
    "details",
    "id",
];

/// The form of the lines that are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The lines of the server.
    Json,
    Csv,
    /// CSV without characters that could control the terminal.
    CsvForTerminal,
}

/// Exports the events of the request to `path`, or to stdout.
///
/// # Errors
/// As for [`Api::stream`]; a failure with the exit code 1 if the export is incomplete or cannot be written; and one
/// with the exit code 5 if the answer is no export. A reader that closes stdout ends the export without an error.
pub(super) async fn run(api: &Api, request: &ApiRequest, is_csv: bool, path: Option<&Path>) -> Result<()> {
    let mut lines = Lines::new(api.stream(request).await?);
    let mut target = Target::open(path).await?;
    let form = match (is_csv, &target) {
        (false, _) => Form::Json,
        (true, Target::Stdout) if stdout().is_terminal() => Form::CsvForTerminal,
        (true, _) => Form::Csv,
    };
    let mut arrived = Arrived::default();
    let mut written = if is_csv { record(&COLUMNS.map(str::to_owned), form)? } else { vec![] };
    while let Some(lines) = lines.next().await? {
        for line in lines.iter().filter(|line| !line.is_empty()) {
            match (arrived.read(line)?, form) {
                (_, Form::Json) => written.extend([line, &b"\n"[..]].concat()),
                (Line::Event(event), _) => written.extend(to_csv(*event, form)?),
                (Line::End, _) => {}
            }
        }
        // The header waits for the first line, which may show that the answer is no export.
        if lines.is_empty() {
            continue;
        }
        match target.write(mem::take(&mut written)).await? {
            Some(open) => target = open,
            None => return Ok(()),
        }
    }
    let checked = arrived.check(lines.rest());
    checked.map_err(|failure| if target.is_file() { failure.with_advice("No file was written.") } else { failure })?;
    if let Some(path) = target.finish()? {
        let events = output::count(arrived.count as u64, "event");
        terminal::note(format!("Wrote {events} to {}.", text::path(&path)));
    }
    Ok(())
}

/// Returns the record of an event.
fn to_csv(event: Event, form: Form) -> Result<Vec<u8>> {
    let (kind, target) = event.target.map(|target| (target.kind, target.id)).unwrap_or_default();
    let cells = [
        rfc3339(event.at),
        event.sequence.map(|sequence| sequence.to_string()).unwrap_or_default(),
        event.action,
        event.outcome,
        event.actor.realm,
        event.actor.id.unwrap_or_default(),
        event.actor.name.unwrap_or_default(),
        kind,
        target,
        event.client_id.unwrap_or_default(),
        event.ip.unwrap_or_default(),
        event.request_id.unwrap_or_default(),
        compact(&event.details),
        event.id,
    ];
    record(&cells, form)
}

/// Returns a record of CSV whose cells are no formulas.
fn record(cells: &[String; COLUMNS.len()], form: Form) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let written = writer.write_record(cells.iter().map(|cell| match form {
        Form::CsvForTerminal => text::neutralize(&text::clean(cell)),
        _ => text::neutralize(cell),
    }));
    written.map_err(|error| Failure::failed(error.to_string()))?;
    writer.into_inner().map_err(|error| Failure::failed(error.to_string()))
}
