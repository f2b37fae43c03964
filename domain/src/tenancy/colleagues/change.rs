//! Changing the role of a colleague, and disabling and enabling the colleague's membership.

use portico_entity::{MembershipId, membership::Role};

use super::lock_colleague;
use crate::{
    platform::{actor::ClientAdmin, app::App, error::Result},
    tenancy::memberships::{self, Member, MemberAccess, MemberChange},
};

/// Changes a membership of the caller's client as [`memberships::change`] does, and returns it.
///
/// # Errors
/// The checks run in this order:
/// - `forbidden`: the role has more rights than the caller.
/// - `not_found`: the caller's client has no membership with this id.
/// - `conflict`: it is the caller's own membership.
/// - `last_admin`: the client would have no active administrator any more, because the caller has lost the role during
///   this request.
/// - `client_suspended` or `forbidden`: the client was archived, or the caller has lost the role, during this request.
/// - `conflict`: the colleague has not joined the client yet.
/// - `unavailable` or `internal`: a database query failed.
pub async fn change(app: &App, caller: &ClientAdmin, id: MembershipId, change: MemberChange) -> Result<Member> {
    if let Some(role) = change.role {
        caller.check_may_give(role)?;
    }
    let ends_admin = change.access == Some(MemberAccess::Disabled) || change.role == Some(Role::Member);
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let locked = lock_colleague(&mut tx, caller, id, ends_admin).await?;
    let changed = memberships::change_in(&mut tx, &caller.into(), locked, change).await?;
    tx.commit().await?;
    Ok(changed)
}
