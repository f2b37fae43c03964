//! `paused_lanes`: the lanes from which no worker takes jobs, because an operator has paused them.

use sea_orm::entity::prelude::*;

use crate::background_job::Lane;

/// A row of `paused_lanes`: one paused lane. A lane without a row is not paused.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "paused_lanes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The lane; the primary key.
    pub lane: Lane,
    /// When the lane was paused.
    pub paused_at: DateTimeUtc,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
