//! What `portico jobs list` and `portico jobs show` print.

use anyhow::{Result, anyhow};
use portico_domain::{
    entity::{
        background_job::{Model, State},
        email,
    },
    platform::{
        app::App,
        jobs::{self, JobFilter},
        mail,
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{JobSelector, JobState};
use crate::cli::{
    mail::outcome,
    output::{Listing, optional_time, print, time, truncate},
    table::NONE,
    text,
};

/// Prints the paused lanes, and the newest jobs that match.
pub(super) async fn list(
    app: &App,
    selector: &JobSelector,
    state: Option<JobState>,
    (limit, json): (u64, bool),
) -> Result<()> {
    // An id that no job has is an error.
    jobs_with_ids(app, &selector.ids).await?;
    if !json {
        for lane in jobs::paused(app).await? {
            print(format!("The lane {} is paused.", lane.name()))?;
        }
    }
    let mut found = jobs::list(app, &selector.filter(state.map(Into::into)), limit + 1).await?;
    truncate(&mut found, limit, "use --limit");
    let entries = with_mails(app, found).await?;
    LISTING.print(&entries, json, &selector.if_none(state.map(JobState::name)))
}

/// Prints one job: a line for each value, or a JSON object.
pub(super) async fn show(app: &App, id: Uuid, json: bool) -> Result<()> {
    let entry = with_mails(app, jobs_with_ids(app, &[id]).await?).await?.pop().ok_or_else(|| unknown(id))?;
    if json {
        return print(to_json(&entry));
    }
    let (job, mail) = &entry;
    for (label, value) in [
        ("id", job.id.to_string()),
        ("name", job.name.clone()),
        ("lane", job.lane.name().to_owned()),
        ("state", state_name(job.state).to_owned()),
        ("attempts", attempts(job)),
        ("created", time(job.created_at)),
        ("due", time(job.run_at)),
        ("started", optional_time(job.started_at)),
        ("finished", optional_time(job.finished_at)),
        ("request", job.request_id.clone().unwrap_or_else(|| NONE.into())),
        ("rows", job.payload.to_string()),
        ("mail", mail_text(mail.as_ref())),
        ("last error", job.last_error.clone().unwrap_or_else(|| NONE.into())),
    ] {
        print(format!("{label:11} {}", text::clean(&value)))?;
    }
    Ok(())
}

/// Returns the jobs with these ids.
///
/// # Errors
/// Returns an error that names the ids that no job has.
pub(super) async fn jobs_with_ids(app: &App, ids: &[Uuid]) -> Result<Vec<Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let filter = JobFilter { ids: ids.to_vec(), ..JobFilter::default() };
    let found = jobs::list(app, &filter, ids.len() as u64).await?;
    match ids.iter().find(|id| !found.iter().any(|job| job.id.0 == **id)) {
        Some(id) => Err(unknown(*id)),
        None => Ok(found),
    }
}

fn unknown(id: Uuid) -> anyhow::Error {
    anyhow!("no job has the id {id}; `portico jobs list` shows the jobs")
}

/// A job, and the mail that it sends.
type Entry = (Model, Option<email::Model>);

async fn with_mails(app: &App, jobs: Vec<Model>) -> Result<Vec<Entry>> {
    let mut mails = mail::of_jobs(app, &jobs).await?;
    Ok(jobs.into_iter().map(|job| (mails.remove(&job.id), job)).map(|(mail, job)| (job, mail)).collect())
}

/// How a list of jobs is printed.
const LISTING: Listing<Entry, 8> = Listing {
    columns: ["ID", "NAME", "LANE", "STATE", "ATTEMPTS", "DUE", "MAIL", "LAST ERROR"],
    row: |(job, mail)| {
        [
            job.id.to_string(),
            job.name.clone(),
            job.lane.name().to_owned(),
            state_name(job.state).to_owned(),
            attempts(job),
            time(job.run_at),
            mail_text(mail.as_ref()),
            // The error may quote a mail server's reply.
            job.last_error.clone().unwrap_or_default(),
        ]
    },
    to_json,
};

fn attempts(job: &Model) -> String {
    format!("{}/{}", job.attempts, job.max_attempts)
}

fn mail_text(mail: Option<&email::Model>) -> String {
    mail.map_or_else(|| NONE.into(), |mail| format!("{} to {}: {}", mail.kind.name(), mail.recipient, outcome(mail)))
}

fn to_json((job, mail): &Entry) -> Value {
    json!({
        "id": job.id.0,
        "name": job.name,
        "lane": job.lane.name(),
        "state": state_name(job.state),
        "attempts": job.attempts,
        "max_attempts": job.max_attempts,
        "payload": job.payload,
        "due_at": job.run_at,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "request_id": job.request_id,
        "last_error": job.last_error,
        "mail": mail.as_ref().map(|mail| json!({
            "id": mail.id.0,
            "kind": mail.kind.name(),
            "recipient": mail.recipient,
            "status": mail.status,
        })),
    })
}

/// Returns the name of a state.
pub(super) fn state_name(state: State) -> &'static str {
    match state {
        State::Queued => "queued",
        State::Running => "running",
        State::Done => "done",
        State::Dead => "dead",
    }
}
