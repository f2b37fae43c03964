//! `portico remote invite --csv`: invites the people of a CSV file.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::{
    api_request::ApiRequest,
    context::{Api, Context},
    csv_file::CsvFile,
    failure::{Failure, Result},
    find::{self, FoundClient},
    output,
    problem::InvalidField,
    stopped, terminal,
};
use crate::cli::output::count;

/// The most rows of a dry run, which is the limit of the API.
const PREVIEW_ROWS: usize = 1_000;
/// The rows of a request that invites. Each request is one step of the progress bar.
const BATCH_ROWS: usize = 100;
/// How many wrong rows the preview shows.
const MAX_WRONG_ROWS: usize = 20;

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
    /// Appends the answer for the rows that begin after `start` rows of the file.
    fn append(&mut self, start: usize, part: Self) {
        let (sum, counts) = (&mut self.counts, part.counts);
        sum.invited += counts.invited;
        sum.exists += counts.exists;
        sum.duplicate += counts.duplicate;
        sum.limited += counts.limited;
        sum.invalid += counts.invalid;
        self.rows.extend(part.rows.into_iter().map(|row| BulkRow { row: row.row + start, ..row }));
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
    let file = CsvFile::read(path)?;
    let api = context.token_api()?;
    let prepare = async {
        let client = find::client(&api, client).await?;
        let preview = Bulk { api: &api, client: &client, file: &file }.preview().await?;
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
    match &result.counts {
        Counts { limited: 1.., .. } => Err(Failure::failed(
            "a rate limit is used up; run the same command again after 24 hours: no person is invited twice",
        )),
        Counts { invalid: 1.., .. } => Err(Failure::failed("some rows are wrong and were left out")),
        _ => Ok(()),
    }
}

impl Bulk<'_> {
    fn request(&self) -> ApiRequest {
        ApiRequest::post(self.client.path("/invitations/bulk"))
    }

    /// Asks the server what would become of the rows, and prints counts and wrong rows to stderr.
    async fn preview(&self) -> Result<BulkResult> {
        let mut preview = BulkResult::default();
        for rows in self.file.parts(PREVIEW_ROWS) {
            let start = rows.start;
            let request = self.request().query("dry_run", Some(true)).csv(self.file.part(rows));
            preview.append(start, self.api.call(&request).await?.parse()?);
        }
        terminal::note(format!("{}: {}.", count(self.file.len() as u64, "row"), preview.summary("to invite")));
        let wrong = preview.rows.iter().filter(|row| !row.errors.is_empty());
        for BulkRow { row, email, errors, .. } in wrong.clone().take(MAX_WRONG_ROWS) {
            let errors: Vec<_> = errors.iter().map(InvalidField::sentence).collect();
            terminal::note(format!("  row {row} {}: {}", email.as_deref().unwrap_or("-"), errors.join("; ")));
        }
        let others = wrong.count().saturating_sub(MAX_WRONG_ROWS);
        if others > 0 {
            terminal::note(format!("  and {others} more; add --dry-run --json to see all"));
        }
        Ok(preview)
    }

    /// Invites the people of all rows, in batches. A batch has an `Idempotency-Key` that follows from its content, so a
    /// command that is run again invites no person twice.
    async fn invite(&self, stop: &CancellationToken) -> Result<BulkResult> {
        let (bar, mut result, total) = (progress_bar(self.file.len()), BulkResult::default(), self.file.len());
        for rows in self.file.parts(BATCH_ROWS) {
            let (start, end) = (rows.start, rows.end);
            let body = self.file.part(rows);
            let request = self.request().idempotency_key(self.key(&body)).csv(body);
            let answer = match stop.run_until_cancelled(self.api.call(&request)).await {
                Some(answer) => answer.and_then(|answer| answer.parse()),
                None => Err(Failure::failed("stopped by SIGTERM or SIGINT")),
            };
            match answer {
                Ok(part) => result.append(start, part),
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

    /// Returns the key of a batch.
    fn key(&self, body: &str) -> String {
        let parts = [&self.api.client.url.to_string(), &self.client.id, body];
        let hash = Sha256::digest(parts.join("\n").as_bytes());
        format!("portico-remote-{}", hex::encode(hash))
    }
}

/// Returns a progress bar on stderr. It is not shown if stderr is no terminal.
fn progress_bar(rows: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(rows).unwrap_or(u64::MAX));
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} rows");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("#>-"));
    bar.tick();
    bar
}
