//! `ceremonies`: registrations of passkeys, and uses of one, that have started.
//!
//! A ceremony verifies one response of a browser. Rows are deleted one day after they expire.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{CeremonyId, LinkTokenId, PortalUserId, Realm, SessionId, SignInChallengeId, StaffUserId, UserId};

/// What a ceremony is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum CeremonyKind {
    /// Registers a passkey, in a session or to complete a sign-in.
    Registration,
    /// Registers a passkey to activate an account.
    Activation,
    /// Signs in with any passkey.
    SignIn,
    /// Completes a sign-in with a passkey of the user.
    SecondFactor,
    /// Makes a session fresh with a passkey of the user.
    StepUp,
}

/// A row of `ceremonies`: one ceremony.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ceremonies")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The primary key. It is not the secret.
    pub id: CeremonyId,
    /// What the ceremony is for.
    pub kind: CeremonyKind,
    /// The realm of the operations by which it was started and can be completed.
    pub realm: Realm,
    /// The portal user whose ceremony it is. Null for a staff user's, and for a sign-in.
    pub portal_user_id: Option<PortalUserId>,
    /// The staff user whose ceremony it is. Null for a portal user's, and for a sign-in.
    pub staff_user_id: Option<StaffUserId>,
    /// The activation link that started the ceremony, and that must complete it. Null unless the kind is
    /// `activation`.
    pub link_token_id: Option<LinkTokenId>,
    /// The challenge of the sign-in that started the ceremony, and that must complete it. Null if none did.
    pub sign_in_challenge_id: Option<SignInChallengeId>,
    /// The session that started the ceremony, and that must complete it. Null if none did.
    pub session_id: Option<SessionId>,
    /// The SHA-256 hash of the secret of 256 bits that the browser holds, in hexadecimal.
    #[sea_orm(unique)]
    pub secret_hash: String,
    /// What the server needs to verify the response, as a text of JSON.
    pub state: String,
    /// When the ceremony was started.
    pub created_at: DateTimeUtc,
    /// When the ceremony expires.
    pub expires_at: DateTimeUtc,
    /// When a response was presented, whether it was right or not. Null before that.
    pub used_at: Option<DateTimeUtc>,
}

impl Model {
    /// Returns the user whose ceremony it is; `None` for a sign-in.
    pub fn user(&self) -> Option<UserId> {
        UserId::from_columns(self.portal_user_id, self.staff_user_id)
    }
}

/// No relation is declared, because no query joins from this table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
