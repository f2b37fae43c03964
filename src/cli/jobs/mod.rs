//! `portico jobs`: lists and shows background jobs, and retries, discards, pauses and measures them.

mod canary;
mod change;
mod show;

use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use portico_domain::{
    entity::background_job::{self, State},
    platform::jobs::{self, JobFilter},
};
use uuid::Uuid;

use super::{
    arguments::{parse_id, whole_number},
    output::print_done,
};
use crate::{bootstrap, config::Config};

/// The commands of `portico jobs`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Lists jobs, newest first, with the recipient and the outcome of mails, and the lanes that are paused.
    #[command(after_help = "Examples:
  portico jobs list --state dead
  portico jobs list --name send_mail --limit 10
  portico jobs list --lane bulk --json")]
    List {
        #[command(flatten)]
        selector: JobSelector,
        /// Only jobs in this state.
        #[arg(long)]
        state: Option<JobState>,
        /// The largest number of jobs to list.
        #[arg(long, default_value_t = 50, value_parser = whole_number(1..=10_000, "jobs", 50))]
        limit: u64,
        /// Prints a JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Shows everything about one job.
    #[command(after_help = "Examples:\n  portico jobs show 01a1fdba-f86f-76f5-b296-4e548b3691ab")]
    Show {
        /// The id of the job, as `portico jobs list` shows it.
        #[arg(value_parser = parse_id)]
        id: Uuid,
        /// Prints a JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Runs dead jobs again, with all their attempts. Mail that has expired is still not sent.
    #[command(after_help = "Examples:
  portico jobs retry 01a1fdba-f86f-76f5-b296-4e548b3691ab
  portico jobs retry --all --name send_mail")]
    Retry {
        #[command(flatten)]
        selector: JobSelector,
        /// Every dead job that matches the other filters. Required if no ids are given.
        #[arg(long)]
        all: bool,
    },
    /// Deletes dead or queued jobs. The work of a queued job, such as its mail, is recorded as failed.
    #[command(after_help = "Examples:
  portico jobs discard 01a1fdba-f86f-76f5-b296-4e548b3691ab
  portico jobs discard --state dead")]
    Discard {
        #[command(flatten)]
        selector: JobSelector,
        /// Every job in this state that matches the other filters. Required if no ids are given.
        #[arg(long)]
        state: Option<Discardable>,
    },
    /// Pauses a lane: its jobs wait until it is resumed. Workers notice within about two seconds.
    #[command(after_help = "Examples:\n  portico jobs pause bulk")]
    Pause {
        /// The lane.
        lane: Lane,
    },
    /// Resumes a paused lane.
    #[command(after_help = "Examples:\n  portico jobs resume bulk")]
    Resume {
        /// The lane.
        lane: Lane,
    },
    /// Enqueues canary jobs, which do nothing, waits until workers have run them, and prints how long that took.
    #[command(after_help = "Examples:
  portico jobs canary
  portico jobs canary --lane bulk --count 1000 --timeout 30")]
    Canary {
        /// The number of canary jobs.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        count: u32,
        /// The lane to use.
        #[arg(long, default_value = "urgent")]
        lane: Lane,
        /// The pause between two canary jobs, in milliseconds. With 0, all are enqueued as fast as possible.
        #[arg(long, default_value_t = 0, value_parser = whole_number(0..=3_600_000, "milliseconds", 20))]
        pause_ms: u64,
        /// How long to wait for the workers, in seconds.
        #[arg(long, default_value_t = 60, value_parser = whole_number(1..=86_400, "seconds", 60))]
        timeout: u64,
    },
}

/// Selects jobs: those that match every given filter.
#[derive(Args)]
pub(super) struct JobSelector {
    /// The ids of the jobs.
    #[arg(value_parser = parse_id)]
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

impl JobState {
    fn name(self) -> &'static str {
        show::state_name(self.into())
    }
}

impl JobSelector {
    /// Returns the filter of the selected jobs that are in `state`, or in any state if that is `None`.
    fn filter(&self, state: Option<State>) -> JobFilter {
        JobFilter { ids: self.ids.clone(), state, lane: self.lane.map(Into::into), name: self.name.clone() }
    }

    /// Returns a sentence that says that no jobs in `state` match.
    fn if_none(&self, state: Option<&str>) -> String {
        let state = state.map_or_else(String::new, |state| format!("{state} "));
        let is_filtered = self.lane.is_some() || self.name.is_some();
        if is_filtered { format!("No {state}jobs match.") } else { format!("No {state}jobs.") }
    }
}

impl Command {
    /// Returns whether the command needs only the settings of the database.
    pub(super) fn needs_database_only(&self) -> bool {
        matches!(self, Self::List { .. } | Self::Show { .. })
    }
}

/// Runs a command of `portico jobs`.
///
/// # Errors
/// Returns an error if the process cannot start, if the arguments select no jobs, if a job does not exist or is in
/// another state than the command needs, if `canary` is used without a Redis that answers, if the canary jobs did not
/// run in time, or if the database fails.
pub(super) async fn run(config: Config, command: Command) -> Result<()> {
    match command {
        Command::List { selector, state, limit, json } => {
            show::list(&bootstrap::app_for_reading(&config).await?, &selector, state, (limit, json)).await
        }
        Command::Show { id, json } => show::show(&bootstrap::app_for_reading(&config).await?, id, json).await,
        Command::Retry { selector, all } => {
            if selector.ids.is_empty() && !all {
                bail!("select the jobs by their ids, or use --all (with --lane or --name to select fewer)");
            }
            change::retry(&bootstrap::app(&config).await?, &selector).await
        }
        Command::Discard { selector, state } => {
            if selector.ids.is_empty() && state.is_none() {
                bail!("select the jobs by their ids, or use --state dead or --state queued");
            }
            change::discard(&bootstrap::app(&config).await?, &selector, state).await
        }
        Command::Pause { lane } => {
            jobs::pause(&bootstrap::app(&config).await?, lane.into()).await?;
            let name = background_job::Lane::from(lane).name();
            print_done(format!("Paused the lane {name}."), format!("`portico jobs resume {name}` resumes it"))
        }
        Command::Resume { lane } => {
            jobs::resume(&bootstrap::app(&config).await?, lane.into()).await?;
            let name = background_job::Lane::from(lane).name();
            print_done(
                format!("Resumed the lane {name}."),
                format!("`portico jobs list --lane {name} --state queued` shows the jobs that still wait"),
            )
        }
        Command::Canary { count, lane, pause_ms, timeout } => {
            let (pause, timeout) = (Duration::from_millis(pause_ms), Duration::from_secs(timeout));
            canary::run(&config, lane.into(), count as usize, pause, timeout).await
        }
    }
}
