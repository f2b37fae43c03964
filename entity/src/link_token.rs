//! A mailed link. The secret itself is derived from the server key and the id, and never stored.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{EmailId, InvitationId, LinkTokenId, PortalUserId};

/// What a link does; a link made for one purpose does no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    Activation,
    Reset,
    Accept,
}

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "link_tokens")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LinkTokenId,
    pub purpose: Purpose,
    pub portal_user_id: PortalUserId,
    pub invitation_id: Option<InvitationId>,
    /// The mail that carries it: one token a mail, so that a retry sends the same link.
    #[sea_orm(unique)]
    pub email_id: Option<EmailId>,
    #[sea_orm(unique)]
    pub secret_hash: String,
    /// Which entry of `PORTICO_SECRET` the secret is derived under.
    pub key_fingerprint: String,
    pub credential_version: i32,
    /// When the mail was asked for, which may be long before the worker made this row.
    pub issued_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub used_at: Option<DateTimeUtc>,
    pub revoked_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::portal_user::Entity",
        from = "Column::PortalUserId",
        to = "super::portal_user::Column::Id"
    )]
    PortalUser,
}

impl Related<super::portal_user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::PortalUser.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
