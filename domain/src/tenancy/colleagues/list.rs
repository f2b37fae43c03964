//! Listing the portal users of the administrator's client.

use crate::{
    platform::{
        actor::ClientAdmin,
        app::App,
        error::Result,
        page::{Page, PageRequest},
    },
    tenancy::memberships::{self, Member, MemberFilter},
};

/// Returns a page of the memberships of the caller's client that match `filter`, oldest first. It contains the caller's
/// own.
///
/// # Errors
/// `unavailable` or `internal`: a database query failed.
pub async fn list(app: &App, caller: &ClientAdmin, filter: &MemberFilter, page: &PageRequest) -> Result<Page<Member>> {
    memberships::list_of_client_as(app, caller.tenant.id, caller.client(), filter, page).await
}
