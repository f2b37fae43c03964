//! `portico jobs`: what waits, what failed, and what to do about it.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use portico_domain::{
    app::App,
    entity::background_job::{self, Model, State},
    jobs::{self, JobFilter},
};
use uuid::Uuid;

use super::print;
use crate::{bootstrap, config::Config};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists jobs, the newest first.
    List {
        #[command(flatten)]
        selector: JobSelector,
        /// In this state.
        #[arg(long)]
        state: Option<JobState>,
        /// The most jobs listed.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        limit: u64,
    },
    /// Runs jobs again that were given up, with all their attempts; what would come too late is still not sent.
    Retry {
        #[command(flatten)]
        selector: JobSelector,
        /// All that were given up, as far as nothing else narrows it.
        #[arg(long)]
        all: bool,
    },
    /// Deletes jobs that were given up or wait; what waiting ones were to do counts as failed.
    Discard {
        #[command(flatten)]
        selector: JobSelector,
        /// All in this state, as far as nothing else narrows it.
        #[arg(long)]
        state: Option<Discardable>,
    },
    /// Holds a lane back: its jobs wait until it is resumed. Workers hear of it within about two seconds.
    Pause {
        /// Which.
        lane: Lane,
    },
    /// Lets a paused lane run again.
    Resume {
        /// Which.
        lane: Lane,
    },
    /// Enqueues jobs that do nothing, waits for workers to run them, and says how soon and how fast they did.
    Canary {
        /// How many.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        count: u32,
        /// Through which lane.
        #[arg(long, default_value = "urgent")]
        lane: Lane,
        /// Milliseconds between one and the next; 0: as fast as it goes.
        #[arg(long, default_value_t = 0)]
        pause_ms: u64,
        /// Seconds until it gives up.
        #[arg(long, default_value_t = 60)]
        timeout: u64,
    },
}

/// Which jobs are meant: those that fit all that is said.
#[derive(Args)]
pub(super) struct JobSelector {
    /// Exactly these.
    ids: Vec<Uuid>,
    /// Of this lane.
    #[arg(long)]
    lane: Option<Lane>,
    /// Of this name, such as `send_mail`.
    #[arg(long)]
    name: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Lane {
    Urgent,
    Bulk,
    Maintenance,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum JobState {
    Queued,
    Running,
    Done,
    Dead,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Discardable {
    Queued,
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
    fn filter(self, state: Option<State>) -> JobFilter {
        JobFilter { ids: self.ids, state, lane: self.lane.map(Into::into), name: self.name }
    }
}

pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    if let Command::Canary { .. } = command {
        bootstrap::require_redis(&config, "jobs canary")?;
    }
    let app = bootstrap::app(&config).await?;
    match command {
        Command::List { selector, state, limit } => list(&app, &selector.filter(state.map(Into::into)), limit).await,
        Command::Retry { selector, all } => {
            if selector.ids.is_empty() && !all {
                bail!("name the jobs by their ids, or say --all (with --lane or --name, all of those)");
            }
            let count = jobs::retry(&app, selector.filter(None)).await?;
            print(format!("{count} jobs will run again."));
            Ok(())
        }
        Command::Discard { selector, state } => {
            if selector.ids.is_empty() && state.is_none() {
                bail!("name the jobs by their ids, or say --state dead or --state queued");
            }
            let count = jobs::discard(&app, selector.filter(state.map(Into::into))).await?;
            print(format!("{count} jobs discarded."));
            Ok(())
        }
        Command::Pause { lane } => {
            jobs::pause(&app, lane.into()).await?;
            print("Paused. `portico jobs resume` lets it run again.");
            Ok(())
        }
        Command::Resume { lane } => {
            jobs::resume(&app, lane.into()).await?;
            print("Resumed.");
            Ok(())
        }
        Command::Canary { count, lane, pause_ms, timeout } => {
            let (pause, timeout) = (Duration::from_millis(pause_ms), Duration::from_secs(timeout));
            canary(&app, lane.into(), count as usize, pause, timeout).await
        }
    }
}

async fn list(app: &App, filter: &JobFilter, limit: u64) -> Result<()> {
    for lane in jobs::paused(app).await? {
        print(format!("The lane {} is paused.", jobs::lane_name(lane)));
    }
    print(format!(
        "{:36}  {:20}  {:6}  {:7}  {:>8}  {:20}  last error",
        "id", "name", "lane", "state", "attempts", "due"
    ));
    for job in jobs::list(app, filter, limit).await? {
        print(line(&job));
    }
    Ok(())
}

fn line(job: &Model) -> String {
    let state = match job.state {
        State::Queued => "queued",
        State::Running => "running",
        State::Done => "done",
        State::Dead => "dead",
    };
    let (id, name, lane) = (job.id.0, &job.name, jobs::lane_name(job.lane));
    let attempts = format!("{}/{}", job.attempts, job.max_attempts);
    let due = job.run_at.format("%Y-%m-%dT%H:%M:%SZ");
    // What a server answered may hold anything; a terminal must not obey it.
    let error: String = job.last_error.as_deref().unwrap_or("–").chars().filter(|c| !c.is_control()).collect();
    format!("{id:36}  {name:20}  {lane:6}  {state:7}  {attempts:>8}  {due:20}  {error}")
}

async fn canary(app: &App, lane: background_job::Lane, count: usize, pause: Duration, timeout: Duration) -> Result<()> {
    let report = jobs::run_canary(app, lane, count, pause, timeout).await?;
    let milliseconds = |time: Duration| time.as_secs_f64() * 1_000.0;
    let rate = report.count as f64 * 1_000.0 / milliseconds(report.drained_in).max(0.001);
    print(format!(
        "{} jobs in {:.1} ms; from the first claim {:.1} ms, {rate:.0} a second\nenqueue to start: p50 {:.2} ms, p99 {:.2} ms",
        report.count,
        milliseconds(report.took),
        milliseconds(report.drained_in),
        milliseconds(report.median),
        milliseconds(report.p99),
    ));
    Ok(())
}
