//! `sessions`: the sessions of portal users and staff users.
//!
//! A session belongs either to a portal user or to a staff user: exactly one of `portal_user_id` and `staff_user_id`
//! is set. Rows are deleted 30 days after they expire.

use sea_orm::{ExprTrait, entity::prelude::*, sea_query::IntoCondition};
use serde::{Deserialize, Serialize};

use crate::{ClientId, PasskeyId, PortalUserId, SessionId, StaffUserId, UserId};

/// The first factor by which a session was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The password, or the link with which it was set for the first time.
    Password,
    /// A mailed code.
    Code,
    /// A passkey, which is both factors.
    Passkey,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 3] = [Self::Password, Self::Code, Self::Passkey];

    /// Returns the text that the database stores for this method.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Code => "code",
            Self::Passkey => "passkey",
        }
    }
}

/// The second factor that was proved in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// A passkey.
    Passkey,
    /// A one-time password of an authenticator app.
    Totp,
    /// A recovery code.
    RecoveryCode,
}

impl Factor {
    /// Every second factor, the strongest first.
    pub const ALL: [Self; 3] = [Self::Passkey, Self::Totp, Self::RecoveryCode];

    /// Returns the text that the database stores for this factor.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passkey => "passkey",
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery_code",
        }
    }
}

impl Model {
    /// Returns the owner. Returns `None` for a row without an owner or with two, which no version of Portico writes.
    pub fn owner(&self) -> Option<UserId> {
        UserId::from_columns(self.portal_user_id, self.staff_user_id)
    }
}

/// A row of `sessions`: one signed-in browser or program.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key, the `sid` of the session's tokens.
    pub id: SessionId,
    /// The portal user who owns the session. Null for a staff session.
    pub portal_user_id: Option<PortalUserId>,
    /// The staff user who owns the session. Null for a portal session.
    pub staff_user_id: Option<StaffUserId>,
    /// The client that the portal user acts for. Null for a staff session.
    pub client_id: Option<ClientId>,
    /// How often the refresh token was rotated. The refresh token contains this number.
    pub generation: i32,
    /// When the refresh token was last rotated, or when the session was opened.
    pub rotated_at: DateTimeUtc,
    /// The generation of which a token was last presented for the first time. Null while none was, and for generation
    /// 0, which has no predecessor.
    pub used_generation: Option<i32>,
    /// When a token of `used_generation` was first presented. Null while `used_generation` is.
    pub generation_used_at: Option<DateTimeUtc>,
    /// 16 random bytes as base64url. The refresh token depends on it, so a refresh token cannot be derived from the
    /// server key alone.
    pub nonce: String,
    /// The credential version for which the session is valid. The session is invalid when the owner's version differs.
    pub credential_version: i32,
    /// The `User-Agent` of the request that opened the session, at most 200 characters. Null when there was none.
    pub user_agent: Option<String>,
    /// The IP address of the request that opened the session. Null when it is unknown.
    pub ip: Option<String>,
    /// The first factor by which the session was opened. Null in a session that an older version has opened.
    pub method: Option<Method>,
    /// When the user last proved their identity. A refresh does not change it.
    pub auth_time: DateTimeUtc,
    /// When the user last proved a second factor. A refresh does not change it. Null when they did not, for example on
    /// a trusted device.
    pub mfa_at: Option<DateTimeUtc>,
    /// The second factor that was proved then. Null while `mfa_at` is null.
    pub mfa_factor: Option<Factor>,
    /// The passkey that opened the session, as the only factor or as the second one. The removal of the passkey ends
    /// the session. Null when there was none.
    pub passkey_id: Option<PasskeyId>,
    /// When the session was opened.
    pub created_at: DateTimeUtc,
    /// When the session was last used. Requests update it at most once a minute.
    pub last_seen_at: DateTimeUtc,
    /// When the session ends unless it is refreshed before. Null for a portal session, which has no idle limit.
    pub idle_until: Option<DateTimeUtc>,
    /// The time after which the session is invalid, also if it is refreshed.
    pub expires_at: DateTimeUtc,
    /// When the session was revoked. Null while it was not.
    pub revoked_at: Option<DateTimeUtc>,
    /// Why the session was revoked, for example `signed_out` or `password_reset`. Null while `revoked_at` is null.
    pub revoked_reason: Option<String>,
}

/// The rows of other tables that a row refers to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The portal user who owns the session.
    #[sea_orm(
        belongs_to = "super::portal_user::Entity",
        from = "Column::PortalUserId",
        to = "super::portal_user::Column::Id"
    )]
    PortalUser,
    /// The staff user who owns the session.
    #[sea_orm(
        belongs_to = "super::staff_user::Entity",
        from = "Column::StaffUserId",
        to = "super::staff_user::Column::Id"
    )]
    StaffUser,
}

impl Related<super::portal_user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::PortalUser.def()
    }
}

impl Related<super::staff_user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::StaffUser.def()
    }
}

/// The membership of the session's portal user at the session's client.
impl Related<super::membership::Entity> for Entity {
    fn to() -> RelationDef {
        use super::membership;
        Entity::belongs_to(membership::Entity)
            .from(Column::ClientId)
            .to(membership::Column::ClientId)
            .on_condition(|session, membership| {
                Expr::col((session, Column::PortalUserId))
                    .equals((membership, membership::Column::PortalUserId))
                    .into_condition()
            })
            .into()
    }
}

impl ActiveModelBehavior for ActiveModel {}
