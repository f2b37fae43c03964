//! `memberships`: which portal user belongs to which client.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{ClientId, MembershipId, PortalUserId, TenantId};

/// The role of a portal user at a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Invites, changes and removes the client's other portal users.
    Admin,
    /// Uses the portal.
    Member,
}

/// The status of a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The person was invited and has not joined yet. They cannot act for the client.
    Invited,
    /// The person can act for the client.
    Active,
    /// The tenant or an administrator of the client has disabled the membership. The person cannot act for the client.
    Disabled,
}

/// A row of `memberships`: one portal user at one client. There is at most one row for each pair.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "memberships")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key.
    pub id: MembershipId,
    /// The portal user.
    pub portal_user_id: PortalUserId,
    /// The client.
    pub client_id: ClientId,
    /// The name of the person as the client's tenant entered it. Other tenants do not see it.
    pub display_name: String,
    /// The role.
    pub role: Role,
    /// The status.
    pub status: Status,
    /// When the person was invited.
    pub invited_at: DateTimeUtc,
    /// When a session was last opened for this membership or switched to it. A sign-in without a client selects the
    /// membership that was used last. Null when there was no session yet.
    pub last_used_at: Option<DateTimeUtc>,
    /// The tenant of the client, by which the lists of the tenant find the row. Null in a row that an older version has
    /// inserted, until a job fills it in.
    pub tenant_id: Option<TenantId>,
    /// Whether `search_words` holds the words of the row. A job adds those of rows that an older version has inserted.
    pub is_search_indexed: bool,
}

/// The rows of other tables that a row refers to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The portal user.
    #[sea_orm(
        belongs_to = "super::portal_user::Entity",
        from = "Column::PortalUserId",
        to = "super::portal_user::Column::Id"
    )]
    PortalUser,
    /// The client.
    #[sea_orm(belongs_to = "super::client::Entity", from = "Column::ClientId", to = "super::client::Column::Id")]
    Client,
}

impl Related<super::portal_user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::PortalUser.def()
    }
}

impl Related<super::client::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Client.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
