//! `portico remote audit export`: writes all events while they arrive.

use std::{fs, io::Write, os::unix::fs::PermissionsExt, path::Path};

use serde::Deserialize;
use tempfile::NamedTempFile;

use super::{
    api_request::ApiRequest,
    audit::{Event, compact},
    context::Api,
    failure::{Failure, Result},
    problem::not_portico,
    terminal,
    time::rfc3339,
};
use crate::cli::{output, text::neutralize};

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

/// The last line of an export.
#[derive(Deserialize)]
struct End {
    end: bool,
    count: usize,
}

/// Where an export goes to.
enum Target<'a> {
    Stdout,
    /// A file that appears when the export is complete.
    File(&'a Path, NamedTempFile),
}

impl Target<'_> {
    /// Writes bytes. Returns false if the reader of stdout has closed it.
    fn write(&mut self, bytes: &[u8]) -> Result<bool> {
        let written = match self {
            Self::Stdout => output::write(bytes),
            Self::File(_, file) => file.write_all(bytes).map(|()| true),
        };
        written.map_err(|error| Failure::failed(format!("cannot write the export: {error}")))
    }
}

/// Exports the events of the request to `path`, or to stdout.
///
/// # Errors
/// As for [`Api::stream`], and a failure with the exit code 1 if the export is incomplete or cannot be written. A
/// reader that closes stdout ends the export without an error.
pub(super) async fn run(api: &Api, request: &ApiRequest, is_csv: bool, path: Option<&Path>) -> Result<()> {
    let mut stream = api.stream(request).await?;
    let mut target = open(path)?;
    let (mut unread, mut count, mut end) = (Vec::new(), 0, None);
    if is_csv && !target.write(&record(&COLUMNS.map(str::to_owned))?)? {
        return Ok(());
    }
    while let Some(bytes) = stream.next().await? {
        unread.extend_from_slice(&bytes);
        let complete = unread.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let mut written = Vec::new();
        for line in unread[..complete].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            if let Ok(last) = serde_json::from_slice::<End>(line) {
                end = Some(last);
            } else {
                count += 1;
            }
            match (&end, is_csv) {
                (Some(_), true) => {}
                (None, true) => written.extend(to_csv(line)?),
                (_, false) => written.extend([line, b"\n"].concat()),
            }
        }
        unread.drain(..complete);
        if !target.write(&written)? {
            return Ok(());
        }
    }
    match end {
        Some(End { end: true, count: expected }) if expected == count => finish(target, count),
        _ => Err(Failure::failed(format!(
            "the export is incomplete: {} arrived, and then the connection ended{}",
            output::count(count as u64, "event"),
            if path.is_some() { "; no file was written" } else { "" }
        ))),
    }
}

fn open(path: Option<&Path>) -> Result<Target<'_>> {
    let Some(path) = path else { return Ok(Target::Stdout) };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile::Builder::new().prefix(".export").tempfile_in(folder);
    Ok(Target::File(path, file.map_err(|error| cannot_write(path, &error))?))
}

fn cannot_write(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::failed(format!("cannot write {}: {error}", path.display()))
}

/// Gives the file its name, in place of an older one. It keeps the permissions of the older one; otherwise only its
/// owner can read it.
fn finish(target: Target, count: usize) -> Result<()> {
    let Target::File(path, file) = target else { return Ok(()) };
    if let Ok(old) = fs::metadata(path) {
        let permissions = fs::Permissions::from_mode(old.permissions().mode() & 0o777);
        file.as_file().set_permissions(permissions).map_err(|error| cannot_write(path, &error))?;
    }
    file.as_file().sync_all().map_err(|error| cannot_write(path, &error))?;
    file.persist(path).map_err(|error| cannot_write(path, &error.error))?;
    terminal::note(format!("Wrote {} to {}.", output::count(count as u64, "event"), path.display()));
    Ok(())
}

/// Returns the record of an event.
fn to_csv(line: &[u8]) -> Result<Vec<u8>> {
    let event: Event = serde_json::from_slice(line).map_err(|_| not_portico("a line is no event"))?;
    let (kind, target) = event.target.map(|target| (target.kind, target.id)).unwrap_or_default();
    record(&[
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
    ])
}

/// Returns a record of CSV whose cells are no formulas.
fn record(cells: &[String; COLUMNS.len()]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let written = writer.write_record(cells.iter().map(|cell| neutralize(cell)));
    written.map_err(|error| Failure::failed(error.to_string()))?;
    writer.into_inner().map_err(|error| Failure::failed(error.to_string()))
}
