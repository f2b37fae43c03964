//! `passkeys`: the public keys of the passkeys with which users sign in.

use sea_orm::entity::prelude::*;

use crate::{PasskeyId, PortalUserId, StaffUserId, UserId};

/// A row of `passkeys`: one passkey of one user.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "passkeys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key.
    pub id: PasskeyId,
    /// The portal user who owns the passkey. Null for a staff user's.
    pub portal_user_id: Option<PortalUserId>,
    /// The staff user who owns the passkey. Null for a portal user's.
    pub staff_user_id: Option<StaffUserId>,
    /// The name that the user gave the passkey, or the browser and system in which it was registered.
    pub name: String,
    /// The RP ID, a domain, for which the passkey was registered. Browsers offer it for this RP ID only.
    pub rp_id: String,
    /// The id of the credential, 16 to 1,023 bytes in base64url. Unique in the installation.
    #[sea_orm(unique)]
    pub credential_id: String,
    /// The public key, the signature counter and the backup flags, as a text of JSON.
    pub credential: String,
    /// The signature counter. It is 0 for passkeys that are synchronized between devices.
    pub counter: i64,
    /// Whether the passkey was backed up when it was last used.
    pub is_backed_up: bool,
    /// When the passkey was registered.
    pub created_at: DateTimeUtc,
    /// When the user last proved their identity with it. Null before that.
    pub last_used_at: Option<DateTimeUtc>,
}

impl Model {
    /// Returns the owner. Returns `None` for a row without an owner or with two, which no version of Portico writes.
    pub fn owner(&self) -> Option<UserId> {
        UserId::from_columns(self.portal_user_id, self.staff_user_id)
    }
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
