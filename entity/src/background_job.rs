//! `background_jobs`: the jobs. The row is the truth about a job; the job queue carries only its id.
//!
//! Jobs that are done are deleted after 7 days, dead jobs after 90 days.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::JobId;

/// A class of jobs. Each lane has its own queue and its own concurrency, so that many jobs in one lane do not delay
/// the other lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Mail that a person waits for: codes and reset links.
    Urgent,
    /// All other mail.
    Bulk,
    /// Clean-up and other work of the schedules.
    Maintenance,
}

impl Lane {
    /// Every lane, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Urgent, Self::Bulk, Self::Maintenance];

    /// Returns the name in the database and in the queue.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Bulk => "bulk",
            Self::Maintenance => "maintenance",
        }
    }
}

/// The state of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for a worker, or for the time of its next attempt.
    Queued,
    /// Was claimed by a worker, which holds the lease.
    Running,
    /// Succeeded.
    Done,
    /// Failed for the last time. An operator can retry or discard it.
    Dead,
}

/// A row of `background_jobs`: one job.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "background_jobs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key, which the job queue carries.
    pub id: JobId,
    /// The name of the job type, for example `send_mail`. A name is never reused for other work.
    pub name: String,
    /// The lane in which the job waits.
    pub lane: Lane,
    /// The fields of the job as a JSON object: ids only, never a secret and never an email address.
    #[sea_orm(column_type = "JsonBinary")]
    pub payload: Json,
    /// The state.
    pub state: State,
    /// How often a worker has claimed the job. A claim that is released unused is subtracted again.
    pub attempts: i32,
    /// The number of attempts after which the job is dead. Each attempt that failed because of an outage raises it by
    /// one.
    pub max_attempts: i32,
    /// How often the lease ended because the worker vanished. After three times the job is dead.
    pub crash_count: i32,
    /// The earliest time of the next attempt.
    pub run_at: DateTimeUtc,
    /// When the id was last pushed to the job queue. Null when the job was not pushed since it last became `queued`.
    pub pushed_at: Option<DateTimeUtc>,
    /// When a worker last claimed the job. Null before the first claim.
    pub started_at: Option<DateTimeUtc>,
    /// The worker that claimed the job last, an id of the table `workers`. Null while the job is queued.
    pub lease_owner: Option<Uuid>,
    /// When the lease ends unless the worker renews it. Null while the job is queued.
    pub lease_until: Option<DateTimeUtc>,
    /// The message of the last failed attempt, at most 500 characters. Null when no attempt has failed.
    pub last_error: Option<String>,
    /// The id of the request that caused the job, a UUID. Null when no request caused it.
    pub request_id: Option<String>,
    /// When the job was enqueued.
    pub created_at: DateTimeUtc,
    /// When the job became `done` or `dead`. Null before that.
    pub finished_at: Option<DateTimeUtc>,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
