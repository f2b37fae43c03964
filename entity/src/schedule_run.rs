//! `schedule_runs`: the slots of the schedules that a worker process has taken.
//!
//! A schedule divides time into slots of equal length. The process that inserts the row of a slot enqueues the slot's
//! job, so that each slot has one job. Rows are deleted after 7 days.

use sea_orm::entity::prelude::*;

/// A row of `schedule_runs`: one slot that was taken.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schedule_runs")]
pub struct Model {
    /// The name of the schedule. Part of the primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The start of the slot. Part of the primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slot: DateTimeUtc,
    /// When the slot was taken and its job enqueued.
    pub ran_at: DateTimeUtc,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
