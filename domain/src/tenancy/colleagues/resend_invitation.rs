//! Resending an invitation to the administrator's client.

use portico_entity::InvitationId;

use crate::{
    platform::{actor::ClientAdmin, app::App, error::Result},
    tenancy::invitations::{self, SentInvitation},
};

/// Resends an invitation to the caller's client as [`invitations::resend`] does, with a new link and a new expiry time.
///
/// # Errors
/// - `not_found`: the caller's client has no invitation with this id.
/// - `already_activated`: the invitation was accepted.
/// - `conflict`: the invitation was cancelled.
/// - `too_many_requests`: a rate limit of this client for the recipient, or of the caller, is used up.
/// - `client_suspended` or `forbidden`: the client was archived, or the caller has lost the role, during this request.
/// - `unavailable` or `internal`: a database query failed. For `unavailable`, the rate limits are refunded.
pub async fn resend_invitation(app: &App, caller: &ClientAdmin, id: InvitationId) -> Result<SentInvitation> {
    invitations::resend_as(app, &caller.into(), caller.client(), id).await
}
