//! `idempotency_keys`: the answers to requests with an `Idempotency-Key`, so that a repeated request is answered
//! without being done again.
//!
//! Rows are deleted after they expire.

use sea_orm::entity::prelude::*;

use crate::ClientId;

/// A row of `idempotency_keys`: one request with a key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_keys")]
pub struct Model {
    /// The id of the caller.
    #[sea_orm(primary_key, auto_increment = false)]
    pub actor: String,
    /// The client that the request concerns.
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id: ClientId,
    /// The key, as the caller has chosen it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// The SHA-256 of the request body in hexadecimal.
    pub request_hash: String,
    /// The answer as JSON. Null only within the transaction that handles the request.
    pub response: Option<String>,
    /// When the request was made.
    pub created_at: DateTimeUtc,
    /// Until when the answer is kept.
    pub expires_at: DateTimeUtc,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
