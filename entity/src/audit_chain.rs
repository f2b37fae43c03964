//! `audit_chains`: the head of each chain of the audit log. A worker that seals events locks the row of their chain.

use sea_orm::entity::prelude::*;

/// A row of `audit_chains`: one chain.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_chains")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The id of the tenant; the nil UUID for the chain of the installation, which has the events of no tenant.
    pub id: Uuid,
    /// The sequence of the newest sealed event; 0 when there is none.
    pub sequence: i64,
    /// The MAC of the newest sealed event. Null when there is none.
    pub mac: Option<String>,
    /// The SHA-256 hash over all sealed events, which a checkpoint seals. Null when there is none.
    pub digest: Option<String>,
    /// The fingerprint of the entry of `PORTICO_SECRET` that made `seal`. Null when nothing is sealed.
    pub key: Option<String>,
    /// The MAC over the chain, `sequence`, `mac` and `digest`. Null when nothing is sealed.
    pub seal: Option<String>,
    /// When another entry of `PORTICO_SECRET` took over. Null when there was only one.
    pub key_changed_at: Option<DateTimeUtc>,
    /// The sequence of the head that was logged last; 0 when none was.
    pub logged_sequence: i64,
    /// When the head was logged last. Null when it never was.
    pub logged_at: Option<DateTimeUtc>,
    /// Events of anonymous callers from before this time have no address and no user agent. Null when no event was
    /// redacted yet, and in chains of tenants.
    pub redacted_before: Option<DateTimeUtc>,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
