//! A counter that slows guessing and flooding, shared by all processes.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rate_limits")]
pub struct Model {
    /// The limit and a keyed hash of its subject: no address or network can be read from it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// The theoretical arrival time of GCRA, in microseconds since 1970.
    pub theoretical_arrival: i64,
    /// Failures in a row, for limits that count instead of flowing.
    pub count: i64,
    pub expires_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
