//! `audit_anchors`: the points of a chain of the audit log that are sealed by themselves.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::AuditAnchorId;

/// What an anchor says about its point of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The clean-up has deleted all events up to this one.
    Cut,
    /// Another entry of `PORTICO_SECRET` seals the events after this one. It vouches for all events up to it.
    Checkpoint,
    /// The head of the chain was not as the last seal left it: it was changed outside of Portico.
    Unproven,
}

impl Kind {
    /// Returns the text that the database stores and that the seal covers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Checkpoint => "checkpoint",
            Self::Unproven => "unproven",
        }
    }
}

/// A row of `audit_anchors`: one anchor.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_anchors")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key.
    pub id: AuditAnchorId,
    /// The chain, as `audit_chains.id`.
    pub chain_id: Uuid,
    /// What the anchor says.
    pub kind: Kind,
    /// The sequence of the event.
    pub sequence: i64,
    /// The MAC of the event.
    pub mac: String,
    /// The SHA-256 hash over all events up to this one.
    pub digest: String,
    /// The fingerprint of the entry of `PORTICO_SECRET` that made `seal`.
    pub key: String,
    /// The MAC over the other columns.
    pub seal: String,
    /// When the anchor was made.
    pub at: DateTimeUtc,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
