//! Listing the invitations to the administrator's client.

use crate::{
    platform::{
        actor::ClientAdmin,
        app::App,
        error::Result,
        page::{Page, PageRequest},
    },
    tenancy::invitations::{self, InvitationFilter, ListedInvitation},
};

/// Returns a page of the invitations to the caller's client that match `filter`, newest first. It contains those that
/// staff users have created.
///
/// # Errors
/// `unavailable` or `internal`: a database query failed.
pub async fn list_invitations(
    app: &App,
    caller: &ClientAdmin,
    filter: &InvitationFilter,
    page: &PageRequest,
) -> Result<Page<ListedInvitation>> {
    invitations::list_at_as(app, caller.tenant.id, caller.client(), filter, page).await
}
