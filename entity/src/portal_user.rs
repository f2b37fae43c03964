//! `portal_users`: the people at the clients.
//!
//! A person has one row and one password, for any number of memberships and tenants.

use sea_orm::entity::prelude::*;

use crate::PortalUserId;

/// A row of `portal_users`: one person.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "portal_users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key.
    pub id: PortalUserId,
    /// The email address in normal form. Unique in the installation.
    #[sea_orm(unique)]
    pub email: String,
    /// The name of the person: the one that they chose, or else the one from their first invitation.
    pub name: String,
    /// The password hash as a PHC string. Null until the person has set a password. A person who activated the
    /// account with a passkey has none.
    pub password_phc: Option<String>,
    /// The cost in the password hash, such as `ln=17,r=8,p=1`. Null while there is no password.
    pub password_cost: Option<String>,
    /// When too many wrong passwords locked the password until a reset. Null while it is not locked.
    pub password_locked_at: Option<DateTimeUtc>,
    /// A number that every password change raises by one. Sessions and tokens of an older version are invalid.
    pub credential_version: i32,
    /// When the person activated the account, through a mailed link. Null before that, and for accounts that an older
    /// version activates during a rollout.
    pub activated_at: Option<DateTimeUtc>,
    /// When the person turned second factors on. Null while they are off.
    pub mfa_enabled_at: Option<DateTimeUtc>,
    /// A number that every change of the second factors raises by one. Challenges, setups and trusted devices of an
    /// older version are invalid.
    pub factors_version: i32,
    /// The user handle of passkeys: 64 random bytes in base64url. Null until the first registration of a passkey
    /// begins.
    pub webauthn_handle: Option<String>,
    /// The language of the person's mail, a BCP 47 language tag. Null uses the language of the tenant.
    pub locale: Option<String>,
    /// When the person was disabled. A disabled person cannot sign in and gets no links. Null while the person is
    /// enabled.
    pub disabled_at: Option<DateTimeUtc>,
    /// When the row was created, by the first invitation.
    pub created_at: DateTimeUtc,
}

impl Model {
    /// Returns whether the person has activated the account. A password without a time of activation is that of an
    /// account that an older version has activated.
    pub fn is_activated(&self) -> bool {
        self.activated_at.is_some() || self.password_phc.is_some()
    }
}

/// The row refers to no row of another table. The `Related` implementations below cover the reverse direction.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

/// All memberships of the person.
impl Related<super::membership::Entity> for Entity {
    fn to() -> RelationDef {
        super::membership::Relation::PortalUser.def().rev()
    }
}

impl ActiveModelBehavior for ActiveModel {}
