//! Removing a colleague from the client.

use portico_entity::MembershipId;

use super::lock_colleague;
use crate::{
    platform::{actor::ClientAdmin, app::App, error::Result},
    tenancy::memberships,
};

/// Removes a membership, in any status, of the caller's client as [`memberships::remove`] does.
///
/// # Errors
/// The checks run in this order:
/// - `not_found`: the caller's client has no membership with this id.
/// - `conflict`: it is the caller's own membership.
/// - `last_admin`: the client would have no active administrator any more, because the caller has lost the role during
///   this request.
/// - `client_suspended` or `forbidden`: the client was archived, or the caller has lost the role, during this request.
/// - `unavailable` or `internal`: a database query failed.
pub async fn remove(app: &App, caller: &ClientAdmin, id: MembershipId) -> Result<()> {
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let locked = lock_colleague(&mut tx, caller, id, true).await?;
    memberships::remove_in(&mut tx, &caller.into(), &locked).await?;
    tx.commit().await
}
