//! Inviting a staff user.

use portico_entity::staff_user;

use super::{NewStaff, add, invitation_email, owners};
use crate::{
    limits,
    platform::{
        actor::{Authorized, access::StaffEdit},
        app::App,
        error::Result,
        rate_limit::{self, Limit},
    },
};

/// Adds a staff user to the caller's tenant, and mails the new staff user who has invited them and where to sign in.
/// The mail carries no secret: they sign in with a code.
///
/// The address must be new in the whole installation. Each call counts as an invitation, also if the address is in use,
/// so that the responses cannot be used to search for addresses.
///
/// # Errors
/// The checks run in this order:
/// - `too_many_requests`: a rate limit of the recipient or of the caller is used up.
/// - `forbidden`: another request has just removed or demoted the caller.
/// - `conflict`: a staff user of any tenant already has the address.
/// - `unavailable` or `internal`: a database query failed. For `unavailable`, the rate limits are refunded.
pub async fn invite(app: &App, caller: &Authorized<StaffEdit>, new: NewStaff) -> Result<staff_user::Model> {
    let (tenant, mailbox, actor) = (caller.tenant.id.to_string(), new.email.mailbox(), caller.rate_limit_subject());
    let limits: [(&Limit, &[&str]); 2] =
        [(&limits::INVITE_RECIPIENT, &[&tenant, &mailbox]), (&limits::INVITE_ACTOR, &[&actor])];
    let reservation = rate_limit::reserve_all(app, &limits).await?;
    let invited = write(app, caller, &new).await;
    reservation.refund_if_transient(app, invited).await
}

/// Writes the row, its mail and its audit event in one transaction.
async fn write(app: &App, caller: &Authorized<StaffEdit>, new: &NewStaff) -> Result<staff_user::Model> {
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    owners::require_editor(&mut tx, caller).await?;
    let user = add::insert(&mut tx, caller.tenant.id, new, caller.staff_user_id(), caller.into()).await?;
    invitation_email::enqueue(&mut tx, &user).await?;
    tx.commit().await?;
    Ok(user)
}
