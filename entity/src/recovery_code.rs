//! `recovery_codes`: the recovery codes of a set, each of which replaces a second factor once.

use sea_orm::entity::prelude::*;

use crate::{RecoveryCodeId, RecoverySetId};

/// A row of `recovery_codes`: one code.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recovery_codes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key.
    pub id: RecoveryCodeId,
    /// The set that the code belongs to.
    pub set_id: RecoverySetId,
    /// The scrypt hash of the code under the salt of the set, in hexadecimal.
    pub code_hash: String,
    /// When the code was used. Null while it was not.
    pub used_at: Option<DateTimeUtc>,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
