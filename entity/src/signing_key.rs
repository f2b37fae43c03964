//! The keys that sign access tokens. The private half is derived from the server key and the id, and never stored.

use sea_orm::entity::prelude::*;

use crate::SigningKeyId;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub struct Model {
    /// The `kid` of the JSON Web Key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SigningKeyId,
    pub key_fingerprint: String,
    /// Published before, signs from then on.
    pub active_from: DateTimeUtc,
    /// Signs no more; published until its last token has expired.
    pub retired_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
