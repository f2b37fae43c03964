//! `rate_limits`: the counters of the rate limits that all processes share.
//!
//! A row is either a GCRA counter, which uses `theoretical_arrival`, or a failure streak, which uses `count`.

use sea_orm::entity::prelude::*;

/// A row of `rate_limits`: one counter of one subject.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rate_limits")]
pub struct Model {
    /// The name of the limit, a colon, and a keyed hash of the subject. So the table holds no email address and no
    /// network. The primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// The theoretical arrival time of GCRA, in microseconds since 1970-01-01 UTC. Once it has passed, the whole
    /// burst is available. A failure streak does not use it.
    pub theoretical_arrival: i64,
    /// The number of consecutive failures. Zero for a GCRA counter.
    pub count: i64,
    /// When the row can be deleted, because it no longer limits anything.
    pub expires_at: DateTimeUtc,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
