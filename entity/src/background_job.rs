//! A piece of background work. The row is the truth about it; the queue only carries its id.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::JobId;

/// Each lane has its own queue and concurrency, so that a flood in one delays no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    Urgent,
    Bulk,
    Maintenance,
}

/// `Dead`: gave up; kept until somebody looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    Queued,
    Running,
    Done,
    Dead,
}

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "background_jobs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JobId,
    pub name: String,
    pub lane: Lane,
    /// Ids only: never a secret, never an address.
    #[sea_orm(column_type = "JsonBinary")]
    pub payload: Json,
    pub state: State,
    pub attempts: i32,
    pub max_attempts: i32,
    /// Attempts whose worker vanished; a job that kills its worker is given up sooner.
    pub crash_count: i32,
    pub run_at: DateTimeUtc,
    /// When the id was last put on the wire.
    pub pushed_at: Option<DateTimeUtc>,
    /// When a worker last claimed it.
    pub started_at: Option<DateTimeUtc>,
    pub lease_owner: Option<Uuid>,
    pub lease_until: Option<DateTimeUtc>,
    pub last_error: Option<String>,
    /// The request that caused it.
    pub request_id: Option<String>,
    pub created_at: DateTimeUtc,
    pub finished_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
