//! A person at a client.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{ClientId, MembershipId, PortalUserId};

/// What a person may do at the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Admin,
    Member,
}

/// Only an active membership lets the person in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Invited,
    Active,
    Disabled,
}

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "memberships")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MembershipId,
    pub portal_user_id: PortalUserId,
    pub client_id: ClientId,
    /// The name as this client's tenant typed it; another tenant's spelling stays there.
    pub display_name: String,
    pub role: Role,
    pub status: Status,
    pub invited_at: DateTimeUtc,
    /// When a session was last opened here; decides where the next sign-in lands.
    pub last_used_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::portal_user::Entity",
        from = "Column::PortalUserId",
        to = "super::portal_user::Column::Id"
    )]
    PortalUser,
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
