//! Revoking sessions: the one statement that does it, and the closed set of reasons.
//!
//! It is in the platform because capabilities that must not import the sessions capability revoke sessions too.

use portico_entity::session::{Column, Entity};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, IntoCondition},
};

use crate::platform::{error::Result, metrics, tx::Tx};

/// Why a session was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RevocationReason {
    /// The browser signed out.
    SignedOut,
    /// The owner signed out everywhere.
    SignedOutEverywhere,
    /// The browser opened another session.
    Replaced,
    /// The portal user opened more sessions than one user may have.
    TooMany,
    /// A refresh token that had been exchanged before was presented.
    RefreshTokenReused,
    /// The owner set a new password through a reset link.
    PasswordReset,
    /// The owner changed the password in another session.
    PasswordChanged,
    /// The owner turned second factors on or off, or replaced one.
    FactorsChanged,
    /// The owner removed the passkey that opened the session.
    PasskeyRemoved,
    /// The owner ended the session, or all other sessions, in the list of sessions.
    EndedByOwner,
    /// The owner reported a sign-in from an unknown device.
    ReportedByOwner,
    /// The membership of the session was disabled.
    MembershipDisabled,
    /// The membership of the session was removed.
    MembershipRemoved,
    /// The client of the session was archived.
    ClientArchived,
    /// The client of the session was restored.
    ClientRestored,
    /// The staff user was removed.
    StaffRemoved,
    /// The tenant does not allow the method any more by which the session was opened.
    PolicyChanged,
    /// The tenant was suspended.
    TenantSuspended,
    /// The tenant was restored.
    TenantRestored,
}

impl RevocationReason {
    /// Returns the value of `revoked_reason` and of the label of the metric that counts ended sessions.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::SignedOutEverywhere => "signed_out_everywhere",
            Self::Replaced => "replaced",
            Self::TooMany => "too_many",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::PasswordReset => "password_reset",
            Self::PasswordChanged => "password_changed",
            Self::FactorsChanged => "factors_changed",
            Self::PasskeyRemoved => "passkey_removed",
            Self::EndedByOwner => "ended_by_owner",
            Self::ReportedByOwner => "reported_by_owner",
            Self::MembershipDisabled => "membership_disabled",
            Self::MembershipRemoved => "membership_removed",
            Self::ClientArchived => "client_archived",
            Self::ClientRestored => "client_restored",
            Self::StaffRemoved => "staff_removed",
            Self::PolicyChanged => "policy_changed",
            Self::TenantSuspended => "tenant_suspended",
            Self::TenantRestored => "tenant_restored",
        }
    }
}

/// Revokes the sessions that match `which` and are not revoked yet, counts them in the metric of ended sessions, and
/// returns their number.
///
/// A transaction that revokes several sessions of one user locks the user's row first, so that two such transactions
/// cannot deadlock.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn revoke_sessions(tx: &mut Tx, which: impl IntoCondition, reason: RevocationReason) -> Result<u64> {
    let revoked = Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(tx.app().now()))
        .col_expr(Column::RevokedReason, Expr::value(reason.name()))
        .filter(which.into_condition())
        .filter(Column::RevokedAt.is_null())
        .exec(tx.db())
        .await?;
    let count = revoked.rows_affected;
    tx.count_on_commit(move || metrics::sessions_ended(reason.name(), count));
    Ok(count)
}
