//! A lane from which no worker takes jobs for now.

use sea_orm::entity::prelude::*;

use crate::background_job::Lane;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "paused_lanes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub lane: Lane,
    pub paused_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
