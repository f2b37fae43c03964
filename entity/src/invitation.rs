//! One invitation of one person to one client, with all its links and resends.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{ClientId, InvitationId, PortalUserId, StaffUserId, membership};

/// `Setup`: the person joins through a mailed link. `Notification`: they joined at once and are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Setup,
    Notification,
}

/// Where an invitation stands; it moves from pending to one of the others, and by a renewal back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Pending,
    Accepted,
    Cancelled,
    Expired,
}

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InvitationId,
    pub client_id: ClientId,
    pub portal_user_id: PortalUserId,
    pub email: String,
    pub name: String,
    pub role: membership::Role,
    pub mode: Mode,
    pub status: Status,
    pub sent_count: i32,
    pub last_sent_at: DateTimeUtc,
    /// Links of mails asked for before this moment are revoked.
    pub links_valid_from: DateTimeUtc,
    /// How often the person, not the staff, has renewed it after it expired.
    pub renewals: i32,
    pub expires_at: DateTimeUtc,
    pub created_by: Option<StaffUserId>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::client::Entity", from = "Column::ClientId", to = "super::client::Column::Id")]
    Client,
    #[sea_orm(
        belongs_to = "super::portal_user::Entity",
        from = "Column::PortalUserId",
        to = "super::portal_user::Column::Id"
    )]
    PortalUser,
}

impl Related<super::client::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Client.def()
    }
}

impl Related<super::portal_user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::PortalUser.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
