//! Inviting a colleague.

use crate::{
    platform::{actor::ClientAdmin, app::App, error::Result},
    tenancy::invitations::{self, InviteInput, SentInvitation},
};

/// Invites a person to the caller's client.
///
/// Every person gets a link, also one who has a password. So the response, the mail kind and the delivery state are the
/// same whether the address is unknown, or known to another client or to another tenant.
///
/// # Errors
/// The checks run in this order:
/// - `forbidden`: the role has more rights than the caller.
/// - `client_suspended`: the client was archived during this request.
/// - `too_many_requests`: a rate limit of this client for the recipient, or of the caller, is used up.
/// - `forbidden`: the caller has lost the role during this request.
/// - `portal_user_exists`: the person already has a membership of this client.
/// - `unavailable` or `internal`: a database query failed. For `unavailable`, the rate limits are refunded.
pub async fn invite(app: &App, caller: &ClientAdmin, input: InviteInput) -> Result<SentInvitation> {
    caller.check_may_give(input.role)?;
    invitations::invite_as(app, &caller.into(), caller.client(), input).await
}
