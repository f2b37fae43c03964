//! A person at one or more clients: one row, one password, whatever the number of memberships.

use sea_orm::entity::prelude::*;

use crate::PortalUserId;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "portal_users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PortalUserId,
    /// In the normal form of `EmailAddress`.
    #[sea_orm(unique)]
    pub email: String,
    pub name: String,
    /// A PHC string; none until the person has activated.
    pub password_phc: Option<String>,
    /// Set when guessing has closed the password until it is reset.
    pub password_locked_at: Option<DateTimeUtc>,
    /// Raised by every password write; sessions and tokens of an older version are dead.
    pub credential_version: i32,
    pub locale: Option<String>,
    pub disabled_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

/// Everywhere they are.
impl Related<super::membership::Entity> for Entity {
    fn to() -> RelationDef {
        super::membership::Relation::PortalUser.def().rev()
    }
}

impl ActiveModelBehavior for ActiveModel {}
