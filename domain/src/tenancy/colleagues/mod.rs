//! Colleagues: what an administrator of a client does with the other portal users and the invitations of that client.
//!
//! The rules of memberships and invitations are those of `memberships` and `invitations`. What is added here: the
//! administrator's own client only, not the own membership, and the last administrator is protected.

mod cancel_invitation;
mod change;
mod invite;
mod list;
mod list_invitations;
mod remove;
mod resend_invitation;

pub use cancel_invitation::cancel_invitation;
pub use change::change;
pub use invite::invite;
pub use list::list;
pub use list_invitations::list_invitations;
pub use remove::remove;
pub use resend_invitation::resend_invitation;

use portico_entity::MembershipId;

use crate::{
    platform::{
        actor::ClientAdmin,
        error::{Error, Result},
        tx::Tx,
    },
    tenancy::{
        client_admins, clients,
        memberships::{self, LockedMember},
    },
};

/// Locks the membership `id` of the caller's client as [`memberships::lock`] does, so that the caller can change it.
/// `ends_admin` says whether the colleague is no active administrator after the change.
///
/// Everything is checked after the rows are locked: of two administrators who demote each other at once, one is the
/// last.
///
/// # Errors
/// The checks run in this order:
/// - `not_found`: the caller's client has no membership with this id.
/// - `conflict`: it is the caller's own membership.
/// - `last_admin`: the client would have no active administrator any more.
/// - `client_suspended` or `forbidden`: the client was archived, or the caller has lost the role, during this request.
/// - `unavailable` or `internal`: the database failed.
async fn lock_colleague(tx: &mut Tx, caller: &ClientAdmin, id: MembershipId, ends_admin: bool) -> Result<LockedMember> {
    let client = clients::of(caller.tenant.id).find(tx.db(), caller.client()).await?;
    let locked = memberships::lock(tx, &client, id).await?;
    let user = locked.member.membership.portal_user_id;
    if user == caller.user.id {
        return Err(Error::ConflictBecause("An administrator cannot change or remove their own membership."));
    }
    if ends_admin && client_admins::is_admin(&locked.member.membership) {
        client_admins::require_another(tx, &locked.client, user).await?;
    }
    client_admins::require_locked(tx, &locked.client, caller.user.id).await?;
    Ok(locked)
}

#[cfg(test)]
mod tests {
    use portico_entity::{
        email, invitation,
        membership::{self, Role},
    };
    use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

    use super::*;
    use crate::{
        platform::app::App,
        tenancy::{
            invitations::{self, InviteInput},
            memberships::{MemberAccess, MemberChange},
        },
        testing,
    };

    const DEMOTE: MemberChange = MemberChange { role: Some(Role::Member), access: None };
    const DISABLE: MemberChange = MemberChange { role: None, access: Some(MemberAccess::Disabled) };

    fn input(email: &str) -> InviteInput {
        InviteInput { email: email.parse().unwrap(), name: None, role: Role::Admin, locale: None }
    }

    fn id_of(caller: &ClientAdmin) -> MembershipId {
        caller.active.membership.id
    }

    async fn status_of(app: &App, invitation: &invitation::Model) -> invitation::Status {
        invitation::Entity::find_by_id(invitation.id).one(app.db()).await.unwrap().unwrap().status
    }

    /// Both callers were authenticated before the other one acted.
    #[tokio::test]
    async fn of_two_admins_who_end_each_others_role_the_second_is_the_last() {
        for by in [Some(DEMOTE), Some(DISABLE), None] {
            let app = testing::app().await;
            let client = app.insert_client().await;
            let (ann, bob) = (app.admin_of(&client, "ann@x.test").await, app.admin_of(&client, "bob@x.test").await);
            let end = async |caller: &ClientAdmin, other: &ClientAdmin| match by {
                Some(by) => change(&app, caller, id_of(other), by).await.map(drop),
                None => remove(&app, caller, id_of(other)).await,
            };
            end(&ann, &bob).await.unwrap();
            assert!(matches!(end(&bob, &ann).await, Err(Error::Conflict("last_admin"))));
            let member = membership::Entity::find_by_id(id_of(&ann)).one(app.db()).await.unwrap().unwrap();
            assert!(client_admins::is_admin(&member));
        }
    }

    #[tokio::test]
    async fn admin_who_has_lost_the_role_during_the_request_does_nothing() {
        let app = testing::app().await;
        let client = app.insert_client().await;
        let (ann, bob) = (app.admin_of(&client, "ann@x.test").await, app.admin_of(&client, "bob@x.test").await);
        let third = app.admin_of(&client, "third@x.test").await;
        let pending = invite(&app, &ann, input("kim@x.test")).await.unwrap().invitation;
        app.run_queue().await;
        change(&app, &ann, id_of(&bob), DEMOTE).await.unwrap();
        let refusals = [
            change(&app, &bob, id_of(&third), DEMOTE).await.map(drop),
            remove(&app, &bob, id_of(&third)).await,
            invite(&app, &bob, input("lou@x.test")).await.map(drop),
            cancel_invitation(&app, &bob, pending.id).await,
            resend_invitation(&app, &bob, pending.id).await.map(drop),
        ];
        for refusal in refusals {
            assert!(matches!(refusal, Err(Error::Forbidden("forbidden"))), "{refusal:?}");
        }
        assert_eq!(status_of(&app, &pending).await, invitation::Status::Pending);
    }

    #[tokio::test]
    async fn queued_mails_and_memberships_of_the_invitations_of_a_former_admin_go_and_others_stay() {
        for by in [Some(DEMOTE), Some(DISABLE), None] {
            let app = testing::app().await;
            let client = app.insert_client().await;
            let (ann, bob) = (app.admin_of(&client, "ann@x.test").await, app.admin_of(&client, "bob@x.test").await);
            let kept = invite(&app, &ann, input("kept@x.test")).await.unwrap();
            let ended = invite(&app, &bob, input("kim@x.test")).await.unwrap();
            match by {
                Some(by) => drop(change(&app, &ann, id_of(&bob), by).await.unwrap()),
                None => remove(&app, &ann, id_of(&bob)).await.unwrap(),
            }
            app.run_queue().await;
            let status = async |sent: &invitations::SentInvitation| {
                let mail = email::Entity::find().filter(email::Column::InvitationId.eq(sent.invitation.id));
                let membership = membership::Entity::find_by_id(sent.membership.id).one(app.db()).await.unwrap();
                let mail = mail.one(app.db()).await.unwrap().unwrap().status;
                (status_of(&app, &sent.invitation).await, mail, membership.is_some())
            };
            assert_eq!(status(&kept).await, (invitation::Status::Pending, email::Status::Sent, true));
            assert_eq!(status(&ended).await, (invitation::Status::Cancelled, email::Status::Suppressed, false));
        }
    }

    #[tokio::test]
    async fn invitation_of_a_former_admin_that_is_still_pending_is_not_accepted() {
        let app = testing::app().await;
        let client = app.insert_client().await;
        let (ann, bob) = (app.admin_of(&client, "ann@x.test").await, app.admin_of(&client, "bob@x.test").await);
        let sent = invite(&app, &bob, input("kim@x.test")).await.unwrap().invitation;
        app.run_queue().await;
        let join = async || {
            let mut tx = app.begin().await.unwrap();
            invitations::join(&mut tx, &(&ann).into(), &sent, &client, sent.links_valid_from).await.unwrap()
        };
        assert!(join().await.is_some());
        // As a process of an older version does it, which cancels nothing.
        let row = membership::ActiveModel { id: Set(id_of(&bob)), role: Set(Role::Member), ..Default::default() };
        row.update(app.db()).await.unwrap();
        assert!(join().await.is_none());
        assert_eq!(status_of(&app, &sent).await, invitation::Status::Pending);
    }

    #[tokio::test]
    async fn notice_of_a_new_admin_goes_to_those_who_are_admins_when_it_is_sent() {
        let app = testing::app().await;
        let client = app.insert_client().await;
        let ann = app.admin_of(&client, "ann@x.test").await;
        app.admin_of(&client, "bob@x.test").await;
        let eve = app.admin_of(&client, "eve@x.test").await;
        let new = app.admin_of(&client, "new@x.test").await;
        change(&app, &ann, id_of(&new), DISABLE).await.unwrap();
        let enable = MemberChange { role: None, access: Some(MemberAccess::Active) };
        change(&app, &ann, id_of(&new), enable).await.unwrap();
        change(&app, &ann, id_of(&eve), DEMOTE).await.unwrap();
        app.run_queue().await;
        let mails = email::Entity::find().all(app.db()).await.unwrap();
        let mut sent: Vec<_> = mails.iter().map(|mail| (&*mail.recipient, mail.status)).collect();
        sent.sort_unstable_by_key(|(recipient, _)| *recipient);
        let expected = [("bob@x.test", email::Status::Sent), ("eve@x.test", email::Status::Suppressed)];
        assert_eq!(sent, expected);
    }
}
