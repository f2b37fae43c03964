//! `workers`: the running worker processes, by their heartbeats.
//!
//! A worker deletes its row when it stops. The row of a worker that vanished is deleted after one day, when another
//! worker stops.

use sea_orm::entity::prelude::*;

/// A row of `workers`: one worker process.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key, a UUID that the worker process makes at start. `lease_owner` of a job refers to it.
    pub id: Uuid,
    /// When the worker recorded its first heartbeat.
    pub started_at: DateTimeUtc,
    /// When the worker recorded its last heartbeat.
    pub seen_at: DateTimeUtc,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
