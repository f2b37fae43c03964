//! `processes`: the running processes, APIs and workers, with the entries of `PORTICO_SECRET` that each has.
//!
//! A process deletes its row when it stops. The row of a process that vanished is deleted after one day, when another
//! process stops.

use sea_orm::entity::prelude::*;

/// A row of `processes`: one process.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "processes")]
pub struct Model {
    /// The primary key, a UUID that the process makes at start.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What the process does: `api`, `worker` or `api and worker`. For display only.
    pub role: String,
    /// The fingerprints of the entries of `PORTICO_SECRET` in their order, separated by commas.
    pub key_fingerprints: String,
    /// When the process started.
    pub started_at: DateTimeUtc,
    /// When the process last wrote its row.
    pub seen_at: DateTimeUtc,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
