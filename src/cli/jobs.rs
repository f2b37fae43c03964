//! `portico jobs`: lists background jobs, and retries, discards, pauses and measures them.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use portico_domain::{
    entity::{
        background_job::{self, Model, State},
        email,
    },
    platform::{
        app::App,
        jobs::{self, JobFilter},
        mail,
    },
};
use uuid::Uuid;

use super::{
    mail::{outcome, printable},
    print,
};
use crate::{bootstrap, config::Config};

/// The commands of `portico jobs`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists jobs, newest first, with the recipient and the outcome of mails, and the lanes that are paused.
    List {
        #[command(flatten)]
        selector: JobSelector,
        /// Only jobs in this state.
        #[arg(long)]
        state: Option<JobState>,
        /// The largest number of jobs to list.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        limit: u64,
    },
    /// Runs dead jobs again, with all their attempts. Mail that has expired is still not sent.
    Retry {
        #[command(flatten)]
        selector: JobSelector,
        /// Every dead job that matches the other filters. Required if no ids are given.
        #[arg(long)]
        all: bool,
    },
    /// Deletes dead or queued jobs. The work of a queued job, such as its mail, is recorded as failed.
    Discard {
        #[command(flatten)]
        selector: JobSelector,
        /// Every job in this state that matches the other filters. Required if no ids are given.
        #[arg(long)]
        state: Option<Discardable>,
    },
    /// Pauses a lane: its jobs wait until it is resumed. Workers notice within about two seconds.
    Pause {
        /// The lane.
        lane: Lane,
    },
    /// Resumes a paused lane.
    Resume {
        /// The lane.
        lane: Lane,
    },
    /// Enqueues canary jobs, which do nothing, waits until workers have run them, and prints how long that took.
    Canary {
        /// The number of canary jobs.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        count: u32,
        /// The lane to use.
        #[arg(long, default_value = "urgent")]
        lane: Lane,
        /// The pause between two canary jobs, in milliseconds. With 0, all are enqueued as fast as possible.
        #[arg(long, default_value_t = 0)]
        pause_ms: u64,
        /// How long to wait for the workers, in seconds.
        #[arg(long, default_value_t = 60)]
        timeout: u64,
    },
}

/// Selects jobs: those that match every given filter.
#[derive(Args)]
pub(super) struct JobSelector {
    /// The ids of the jobs.
    ids: Vec<Uuid>,
    /// Only jobs of this lane.
    #[arg(long)]
    lane: Option<Lane>,
    /// Only jobs with this name, such as `send_mail`.
    #[arg(long)]
    name: Option<String>,
}

/// A lane as an argument: [`background_job::Lane`].
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Lane {
    /// Mail that a user waits for: sign-in codes and reset links.
    Urgent,
    /// All other mail: invitations and notices.
    Bulk,
    /// Clean-up and key rotation.
    Maintenance,
}

/// The state of a job as an argument: [`State`].
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum JobState {
    /// Waits for a worker, or for its next attempt.
    Queued,
    /// Is claimed by a worker.
    Running,
    /// Has succeeded.
    Done,
    /// Has failed and is not tried again.
    Dead,
}

/// The states of jobs that `portico jobs discard` may delete.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Discardable {
    /// Waits for a worker, or for its next attempt.
    Queued,
    /// Has failed and is not tried again.
    Dead,
}

impl From<Lane> for background_job::Lane {
    fn from(lane: Lane) -> Self {
        match lane {
            Lane::Urgent => Self::Urgent,
            Lane::Bulk => Self::Bulk,
            Lane::Maintenance => Self::Maintenance,
        }
    }
}

impl From<JobState> for State {
    fn from(state: JobState) -> Self {
        match state {
            JobState::Queued => Self::Queued,
            JobState::Running => Self::Running,
            JobState::Done => Self::Done,
            JobState::Dead => Self::Dead,
        }
    }
}

impl From<Discardable> for State {
    fn from(state: Discardable) -> Self {
        match state {
            Discardable::Queued => Self::Queued,
            Discardable::Dead => Self::Dead,
        }
    }
}

impl JobSelector {
    /// Returns the filter of the selected jobs that are in `state`, or in any state if that is `None`.
    fn filter(self, state: Option<State>) -> JobFilter {
        JobFilter { ids: self.ids, state, lane: self.lane.map(Into::into), name: self.name }
    }
}

/// Runs a command of `portico jobs`.
///
/// # Errors
/// Returns an error if the process cannot start, if the arguments select no jobs, if `canary` is used without
/// `REDIS_URL`, if the canary jobs did not run in time, or if the database fails.
pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    if let Command::Canary { .. } = command {
        bootstrap::require_redis(&config, "jobs canary")?;
    }
    if let Command::List { selector, state, limit } = command {
        let app = bootstrap::app_for_reading(&config).await?;
        return list(&app, &selector.filter(state.map(Into::into)), limit).await;
    }
    let app = bootstrap::app(&config).await?;
    match command {
        Command::List { .. } => Ok(()),
        Command::Retry { selector, all } => {
            if selector.ids.is_empty() && !all {
                bail!("select the jobs by their ids, or use --all (with --lane or --name to select fewer)");
            }
            let count = jobs::retry(&app, selector.filter(None)).await?;
            print(format!("{count} jobs will run again."))?;
            Ok(())
        }
        Command::Discard { selector, state } => {
            if selector.ids.is_empty() && state.is_none() {
                bail!("select the jobs by their ids, or use --state dead or --state queued");
            }
            let count = jobs::discard(&app, selector.filter(state.map(Into::into))).await?;
            print(format!("{count} jobs discarded."))?;
            Ok(())
        }
        Command::Pause { lane } => {
            jobs::pause(&app, lane.into()).await?;
            print("Paused. `portico jobs resume` resumes the lane.")?;
            Ok(())
        }
        Command::Resume { lane } => {
            jobs::resume(&app, lane.into()).await?;
            print("Resumed.")?;
            Ok(())
        }
        Command::Canary { count, lane, pause_ms, timeout } => {
            let (pause, timeout) = (Duration::from_millis(pause_ms), Duration::from_secs(timeout));
            canary(&app, lane.into(), count as usize, pause, timeout).await
        }
    }
}

/// Prints the paused lanes, and a table of the newest `limit` jobs that match `filter`.
async fn list(app: &App, filter: &JobFilter, limit: u64) -> Result<()> {
    for lane in jobs::paused(app).await? {
        print(format!("The lane {} is paused.", lane.name()))?;
    }
    print(format!(
        "{:36}  {:20}  {:6}  {:7}  {:>8}  {:20}  {:50}  last error",
        "id", "name", "lane", "state", "attempts", "due", "mail"
    ))?;
    let jobs = jobs::list(app, filter, limit).await?;
    let mails = mail::of_jobs(app, &jobs).await?;
    for job in &jobs {
        print(line(job, mails.get(&job.id)))?;
    }
    Ok(())
}

/// Returns the row of the table for `job` and the mail that it sends. Times are UTC.
fn line(job: &Model, mail: Option<&email::Model>) -> String {
    let state = match job.state {
        State::Queued => "queued",
        State::Running => "running",
        State::Done => "done",
        State::Dead => "dead",
    };
    let (id, name, lane) = (job.id.0, &job.name, job.lane.name());
    let attempts = format!("{}/{}", job.attempts, job.max_attempts);
    let due = job.run_at.format("%Y-%m-%dT%H:%M:%SZ");
    let mail = mail
        .map_or_else(|| "–".into(), |mail| format!("{} to {}: {}", mail.kind.name(), mail.recipient, outcome(mail)));
    // The error may quote a mail server's reply.
    let error = printable(job.last_error.as_deref().unwrap_or("–"));
    format!("{id:36}  {name:20}  {lane:6}  {state:7}  {attempts:>8}  {due:20}  {mail:50}  {error}")
}

/// Runs `count` canary jobs in `lane`, `pause` apart, waits for them at most `timeout`, and prints times and rate.
async fn canary(app: &App, lane: background_job::Lane, count: usize, pause: Duration, timeout: Duration) -> Result<()> {
    let report = jobs::run_canary(app, lane, count, pause, timeout).await?;
    let milliseconds = |time: Duration| time.as_secs_f64() * 1_000.0;
    let rate = report.count as f64 * 1_000.0 / milliseconds(report.since_first_claim).max(0.001);
    print(format!(
        "{} jobs in {:.1} ms; from the first claim {:.1} ms, {rate:.0} per second\n\
         from enqueue to start: p50 {:.2} ms, p99 {:.2} ms",
        report.count,
        milliseconds(report.since_enqueue),
        milliseconds(report.since_first_claim),
        milliseconds(report.median),
        milliseconds(report.p99),
    ))?;
    Ok(())
}
