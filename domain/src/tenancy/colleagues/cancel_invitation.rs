//! Cancelling an invitation to the administrator's client.

use portico_entity::InvitationId;

use crate::{
    platform::{actor::ClientAdmin, app::App, error::Result},
    tenancy::invitations,
};

/// Cancels an invitation to the caller's client as [`invitations::cancel`] does, also one that a staff user has
/// created.
///
/// # Errors
/// - `not_found`: the caller's client has no invitation with this id.
/// - `client_suspended` or `forbidden`: the client was archived, or the caller has lost the role, during this request.
/// - `already_activated`: the invitation was accepted.
/// - `unavailable` or `internal`: a database query failed.
pub async fn cancel_invitation(app: &App, caller: &ClientAdmin, id: InvitationId) -> Result<()> {
    invitations::cancel_as(app, &caller.into(), caller.client(), id).await
}
