//! `link_tokens`: the secrets of mailed links.
//!
//! The secret is derived from the server key and the row's id. The database stores only its hash. Rows are deleted 30
//! days after they expire.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{EmailId, InvitationId, LinkTokenId, PortalUserId};

/// The purpose of a link. A link works for its own purpose only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Sets the first password and accepts an invitation.
    Activation,
    /// Sets a new password.
    Reset,
    /// Accepts an invitation with an account that has a password.
    Accept,
    /// Reports a sign-in that was not the owner's.
    NotMe,
}

/// A row of `link_tokens`: one mailed link.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "link_tokens")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key, from which the secret is derived.
    pub id: LinkTokenId,
    /// The purpose.
    pub purpose: Purpose,
    /// The portal user who receives the link.
    pub portal_user_id: PortalUserId,
    /// The invitation that the link accepts. Null for the purpose `reset`.
    pub invitation_id: Option<InvitationId>,
    /// The mail that carries the link. There is one token for each mail, so a retry sends the same link. Null when the
    /// mail's row was deleted.
    #[sea_orm(unique)]
    pub email_id: Option<EmailId>,
    /// The SHA-256 of the secret in hexadecimal.
    #[sea_orm(unique)]
    pub secret_hash: String,
    /// The fingerprint of the entry of `PORTICO_SECRET` from which the secret is derived.
    pub key_fingerprint: String,
    /// The portal user's credential version when the token was made. A token of an older version is revoked, except
    /// for the purposes `accept` and `not_me`.
    pub credential_version: i32,
    /// When the mail was requested. The worker may have made this row later.
    pub issued_at: DateTimeUtc,
    /// When the link expires.
    pub expires_at: DateTimeUtc,
    /// When the link was used. Null while it is unused.
    pub used_at: Option<DateTimeUtc>,
    /// When the link was revoked. Null unless it was revoked. A link can also be invalid for another reason, for
    /// example because its invitation was cancelled.
    pub revoked_at: Option<DateTimeUtc>,
    /// When the worker made the row.
    pub created_at: DateTimeUtc,
}

/// The rows of other tables that a row refers to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The portal user who receives the link.
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
