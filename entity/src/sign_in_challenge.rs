//! `sign_in_challenges`: sign-ins that lack their second factor.
//!
//! A challenge is no credential: only the operations for second factors take it. Rows are deleted one day after they
//! expire.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ClientId, CodeFlowId, LinkTokenId, PortalUserId, SessionId, SignInChallengeId, StaffUserId, UserId, session::Method,
};

/// What the user must do to complete the sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Prove a second factor that the user has.
    Verify,
    /// Set up a second factor, because a tenant requires one.
    Enrol,
}

/// A row of `sign_in_challenges`: one sign-in whose first factor was right.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_challenges")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key. It is not the secret.
    pub id: SignInChallengeId,
    /// The SHA-256 hash of the secret of 256 bits that the browser holds, in hexadecimal.
    #[sea_orm(unique)]
    pub secret_hash: String,
    /// What the user must do.
    pub purpose: Purpose,
    /// The portal user who signs in. Null for a staff user.
    pub portal_user_id: Option<PortalUserId>,
    /// The staff user who signs in. Null for a portal user.
    pub staff_user_id: Option<StaffUserId>,
    /// The client to sign in to. Null for a staff user.
    pub client_id: Option<ClientId>,
    /// The link of the invitation that the sign-in accepts. Null when it accepts none.
    pub link_token_id: Option<LinkTokenId>,
    /// The session that the browser had, and that the new session replaces. Null when it had none.
    pub replaces_session_id: Option<SessionId>,
    /// The first factor.
    pub method: Method,
    /// The user's credential version when the first factor was right. A challenge of an older version is dead.
    pub credential_version: i32,
    /// The user's factors version at that time. A challenge of an older version is dead.
    pub factors_version: i32,
    /// The number of attempts that were counted. After five the challenge is dead.
    pub misses: i32,
    /// The code flow whose mailed code the user must enter before a factor is set up. Null before a code was requested.
    pub code_flow_id: Option<CodeFlowId>,
    /// When the user proved access to the mailbox. Null while they did not.
    pub mail_proved_at: Option<DateTimeUtc>,
    /// When the first factor was right.
    pub created_at: DateTimeUtc,
    /// When the challenge expires.
    pub expires_at: DateTimeUtc,
    /// When the sign-in was completed or cancelled. Null before that.
    pub ended_at: Option<DateTimeUtc>,
}

impl Model {
    /// Returns the user. Returns `None` for a row without a user or with two, which no version of Portico writes.
    pub fn user(&self) -> Option<UserId> {
        UserId::from_columns(self.portal_user_id, self.staff_user_id)
    }
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
