//! `portico remote invite --csv`: invites the people of a CSV file.

use std::{ops::Range, path::Path};

use indicatif::{ProgressBar, ProgressStyle};
use portico_domain::platform::random::Random;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::{
    api_request::ApiRequest,
    context::{Api, Context},
    csv_file::CsvFile,
    failure::{Failure, Result},
    find::{self, FoundClient},
    output,
    problem::{InvalidField, not_portico},
    stopped, terminal,
};
use crate::cli::output::count;

/// The most rows of a dry run, which is the limit of the API.
const PREVIEW_ROWS: usize = 1_000;
/// The rows of a request that invites. Each request is one step of the progress bar.
const BATCH_ROWS: usize = 100;
/// How many rows of each status the preview shows.
const MAX_SHOWN_ROWS: usize = 20;
/// The statuses whose rows the preview shows, and what each of them means.
const SHOWN: [(&str, &str); 4] = [
    ("invalid", ""),
    ("duplicate", "an earlier row has the same address"),
    ("limited", "a rate limit is used up"),
    ("exists", "at the client already"),
];

/// What became of the rows, as the API answers it.
#[derive(Default, Serialize, Deserialize)]
struct BulkResult {
    counts: Counts,
    rows: Vec<BulkRow>,
}

#[derive(Default, Serialize, Deserialize)]
struct Counts {
    invited: u64,
    exists: u64,
    duplicate: u64,
    limited: u64,
    invalid: u64,
}

#[derive(Serialize, Deserialize)]
struct BulkRow {
    row: usize,
    email: Option<String>,
    status: String,
    invite_mode: Option<String>,
    errors: Vec<InvalidField>,
}

impl BulkResult {
    /// Appends the answer for these rows of the file.
    ///
    /// # Errors
    /// A failure with the exit code 5 if the answer has numbers that no answer to these rows has.
    fn append(&mut self, rows: &Range<usize>, part: Self) -> Result<()> {
        let wrong = || not_portico("its numbers are not those of the rows");
        let (sum, counts) = (&mut self.counts, part.counts);
        for (sum, count) in [
            (&mut sum.invited, counts.invited),
            (&mut sum.exists, counts.exists),
            (&mut sum.duplicate, counts.duplicate),
            (&mut sum.limited, counts.limited),
            (&mut sum.invalid, counts.invalid),
        ] {
            *sum = sum.checked_add(count).ok_or_else(wrong)?;
        }
        for row in part.rows {
            let number = Some(row.row).filter(|row| (1..=rows.len()).contains(row)).ok_or_else(wrong)?;
            self.rows.push(BulkRow { row: rows.start + number, ..row });
        }
        Ok(())
    }

    fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| Failure::failed(error.to_string()))
    }

    /// Returns the counts as a sentence.
    fn summary(&self, invited: &str) -> String {
        let Counts { invited: number, exists, duplicate, limited, invalid } = &self.counts;
        format!(
            "{number} {invited}, {exists} at the client already, {duplicate} duplicate, {limited} limited, {invalid} wrong"
        )
    }
}

/// A CSV file and the client to which its people are invited.
struct Bulk<'a> {
    api: &'a Api,
    client: &'a FoundClient,
    file: &'a CsvFile,
}

/// How a file is invited.
pub(super) struct BulkOptions {
    /// Whether no person is invited.
    pub(super) is_dry_run: bool,
    /// Whether no question is asked.
    pub(super) yes: bool,
}

/// Shows what becomes of the rows of a file, asks for confirmation, and invites the people. When `stop` is cancelled,
/// the failure says how many rows were sent.
///
/// # Errors
/// As for [`CsvFile::read`], [`find::client`], [`Api::call`] and [`terminal::confirm`]; and a failure with the exit
/// code 1 if a row is wrong or limited, or if `stop` was cancelled.
pub(super) async fn run(
    context: &Context,
    client: &str,
    path: &Path,
    options: &BulkOptions,
    stop: &CancellationToken,
) -> Result<()> {
    let path = path.to_owned();
    // The path may be a FIFO, or stdin, on which nothing arrives.
    let reading = spawn_blocking(move || CsvFile::read(&path));
    let file = stop.run_until_cancelled(reading).await.ok_or_else(stopped)?;
    let file = file.map_err(|error| Failure::failed(error.to_string()))??;
    let api = context.token_api()?;
    let prepare = async {
        let client = find::client(&api, client).await?;
        let preview = Bulk { api: &api, client: &client, file: &file }.preview().await?;
        // A dry run prints the counts as its result.
        if !options.is_dry_run {
            terminal::note(format!("{}: {}.", count(file.len() as u64, "row"), preview.summary("to invite")));
        }
        show_rows(&file, &preview);
        if !options.is_dry_run && preview.counts.invited > 0 {
            let question = format!("Invite {} to {}?", count(preview.counts.invited, "person"), client.name);
            terminal::confirm(&question, options.yes).await?;
        }
        Ok((client, preview))
    };
    let (client, preview) = stop.run_until_cancelled(prepare).await.ok_or_else(stopped)??;
    let (result, verb) = match options.is_dry_run || preview.counts.invited == 0 {
        true => (preview, "to invite"),
        false => (Bulk { api: &api, client: &client, file: &file }.invite(stop).await?, "invited"),
    };
    match context.output.is_json {
        true => output::write(&format!("{}\n", result.to_json()?))?,
        false => output::write_lines(&result.summary(verb))?,
    }
    match (&result.counts, options.is_dry_run) {
        (Counts { limited: 1.., .. }, true) => Err(Failure::failed("a rate limit is too low for all of the rows")),
        (Counts { invalid: 1.., .. }, true) => Err(Failure::failed("some rows are wrong")),
        (Counts { limited: 1.., .. }, false) => Err(Failure::failed(
            "a rate limit is used up; run the same command again later: no person is invited twice",
        )),
        (Counts { invalid: 1.., .. }, false) => Err(Failure::failed("some rows are wrong and were left out")),
        _ => Ok(()),
    }
}

impl Bulk<'_> {
    fn request(&self) -> ApiRequest {
        ApiRequest::post(self.client.path("/invitations/bulk"))
    }

    /// Asks the server what would become of the rows.
    async fn preview(&self) -> Result<BulkResult> {
        let mut preview = BulkResult::default();
        for rows in self.file.parts(PREVIEW_ROWS) {
            let request = self.request().query("dry_run", Some(true)).csv(self.file.part(rows.clone()));
            preview.append(&rows, self.api.call(&request).await?.parse()?)?;
        }
        Ok(preview)
    }

    /// Invites the people of all rows, in batches. A batch has a random `Idempotency-Key`, with which it is sent again
    /// if its answer is lost. A command that is run again has other keys: the server then answers that the people are
    /// at the client already.
    async fn invite(&self, stop: &CancellationToken) -> Result<BulkResult> {
        let (bar, mut result, total) = (progress_bar(self.file.len()), BulkResult::default(), self.file.len());
        let run = hex::encode(Random.bytes::<16>());
        for rows in self.file.parts(BATCH_ROWS) {
            let (start, end) = (rows.start, rows.end);
            let key = format!("portico-remote-{run}-{start}");
            let request = self.request().idempotency_key(key).csv(self.file.part(rows.clone()));
            let answer = match stop.run_until_cancelled(self.api.call(&request)).await {
                Some(answer) => answer.and_then(|answer| result.append(&rows, answer.parse()?)),
                None => Err(Failure::failed("stopped by SIGTERM or SIGINT")),
            };
            match answer {
                Ok(()) => {}
                Err(failure) => {
                    bar.abandon();
                    return Err(failure.with_advice(&format!(
                        "{start} of {total} rows were sent. Run the same command again to continue: no person is \
                         invited twice."
                    )));
                }
            }
            bar.set_position(u64::try_from(end).unwrap_or(u64::MAX));
        }
        bar.finish_and_clear();
        Ok(result)
    }
}

/// Prints to stderr which rows are not invited, and why, with the numbers of their lines.
fn show_rows(file: &CsvFile, preview: &BulkResult) {
    for (status, meaning) in SHOWN {
        let rows: Vec<_> = preview.rows.iter().filter(|row| row.status == status).collect();
        for BulkRow { row, email, errors, .. } in rows.iter().take(MAX_SHOWN_ROWS) {
            let errors: Vec<_> = errors.iter().map(InvalidField::sentence).collect();
            let why = if errors.is_empty() { meaning.to_owned() } else { errors.join("; ") };
            terminal::note(format!("  line {} {}: {why}", line(file, *row), email.as_deref().unwrap_or("-")));
        }
        let others = rows.len().saturating_sub(MAX_SHOWN_ROWS);
        if others > 0 {
            terminal::note(format!("  and {others} more ({status}); add --dry-run --json to see all"));
        }
    }
}

/// Returns the line of the file in which the row with this number, from 1, begins. The header is line 1, and empty
/// lines do not count.
fn line(file: &CsvFile, row: usize) -> usize {
    file.part(0..row.saturating_sub(1)).matches('\n').count() + 1
}

/// Returns a progress bar on stderr. It is not shown if stderr is no terminal.
fn progress_bar(rows: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(rows).unwrap_or(u64::MAX));
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} rows");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("#>-"));
    bar.tick();
    bar
}
