//! `recovery_sets`: the sets of recovery codes. A user has at most one set.

use sea_orm::entity::prelude::*;

use crate::{PortalUserId, RecoverySetId, StaffUserId};

/// A row of `recovery_sets`: the recovery codes of one user.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recovery_sets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key.
    pub id: RecoverySetId,
    /// The portal user who owns the row. Null for a staff user's.
    pub portal_user_id: Option<PortalUserId>,
    /// The staff user who owns the row. Null for a portal user's.
    pub staff_user_id: Option<StaffUserId>,
    /// The salt of the hashes of all codes of the set: 16 random bytes in hexadecimal.
    pub salt: String,
    /// When the codes were made.
    pub created_at: DateTimeUtc,
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
