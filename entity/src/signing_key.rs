//! `signing_keys`: the keys that sign access tokens.
//!
//! The private key is derived from the server key and the row's id. It is not stored. A key goes through three
//! phases: it is published, then it signs, then it is retired and stays published for some time.

use sea_orm::entity::prelude::*;

use crate::SigningKeyId;

/// A row of `signing_keys`: one key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub struct Model {
    /// The primary key, the `kid` of the JSON Web Key (RFC 7517 §4.5).
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SigningKeyId,
    /// The fingerprint of the entry of `PORTICO_SECRET` from which the private key is derived.
    pub key_fingerprint: String,
    /// When the key starts to sign. It is published from its creation.
    pub active_from: DateTimeUtc,
    /// When the key stopped signing. It stays published for two days more, longer than any token that it signed
    /// lives. Null while it is not retired.
    pub retired_at: Option<DateTimeUtc>,
    /// When the key was created.
    pub created_at: DateTimeUtc,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
