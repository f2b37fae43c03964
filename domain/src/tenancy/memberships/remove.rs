//! Removing a portal user from a client.

use portico_entity::{
    ClientId, MembershipId,
    invitation::{self, Status},
    membership::{self, Column, Role},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use super::{LockedMember, end_sessions, lock, suppress_mail};
use crate::{
    platform::{
        actor::{Actor, Authorized, access::ClientsEdit},
        app::App,
        audit,
        error::{Error, Result},
        search,
        session_revocation::RevocationReason,
        tx::Tx,
    },
    tenancy::{clients, invitations},
};

/// Removes a membership, in any status, of a client of the caller's tenant.
///
/// The sessions of the portal user at this client end, an invitation that is pending or expired is cancelled together
/// with its links, and its queued mails are suppressed. The same happens to the invitations that an administrator of
/// the client has created there. The person, their password and their other memberships stay, and they can be invited
/// to the client again.
///
/// # Errors
/// - `not_found`: the caller's tenant has no client with this id, or the client no membership with this id.
/// - `unavailable` or `internal`: a database query failed.
pub async fn remove(app: &App, caller: &Authorized<ClientsEdit>, client: ClientId, id: MembershipId) -> Result<()> {
    let client = clients::of(caller.tenant.id).find(app.db(), client).await?;
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let locked = lock(&mut tx, &client, id).await?;
    remove_in(&mut tx, &caller.into(), &locked).await?;
    tx.commit().await
}

/// Removes a locked membership as [`remove`] does, and records the audit event `membership.removed` of `actor`. The
/// caller has checked that `actor` may do this, and commits.
///
/// # Errors
/// - `not_found`: the membership was removed after it was read.
/// - `unavailable` or `internal`: a database query failed.
pub(crate) async fn remove_in(
    tx: &mut Tx,
    actor: &Actor,
    LockedMember { client, member }: &LockedMember,
) -> Result<()> {
    let membership = &member.membership;
    if membership.role == Role::Admin {
        invitations::cancel_created_by(tx, actor.clone(), client, membership.portal_user_id).await?;
    }
    let cancelled = cancel_invitations(tx, membership).await?;
    let removed = membership::Entity::delete_many().filter(Column::Id.eq(membership.id)).exec(tx.db()).await?;
    if removed.rows_affected == 0 {
        return Err(Error::NOT_FOUND);
    }
    search::remove(tx, [membership.id.0]).await?;
    suppress_mail(tx, member, "the membership was removed").await?;
    end_sessions(tx, membership, RevocationReason::MembershipRemoved).await?;
    let event = audit::Event::new("membership.removed")
        .target("membership", membership.id.0)
        .tenant(client.tenant_id)
        .client(client.id)
        .details(json!({ "role": membership.role, "cancelled_invitations": cancelled }));
    audit::record(tx, actor.clone(), event).await
}

/// Cancels the invitations of the portal user to the client that are not accepted, and returns their ids. An expired
/// one is cancelled too, because the person could renew it.
async fn cancel_invitations(tx: &mut Tx, membership: &membership::Model) -> Result<Vec<String>> {
    let cancelled = invitation::Entity::update_many()
        .col_expr(invitation::Column::Status, Expr::value(Status::Cancelled))
        .col_expr(invitation::Column::CancelledAt, Expr::value(tx.app().now()))
        .filter(invitation::Column::ClientId.eq(membership.client_id))
        .filter(invitation::Column::PortalUserId.eq(membership.portal_user_id))
        .filter(invitation::Column::Status.is_in([Status::Pending, Status::Expired]))
        .exec_with_returning(tx.db())
        .await?;
    Ok(cancelled.into_iter().map(|invitation| invitation.id.to_string()).collect())
}

#[cfg(test)]
mod tests {
    use portico_entity::{email, search_word};

    use super::*;
    use crate::{
        tenancy::memberships::{
            MemberAccess, MemberChange, change,
            tests::{invite, owner_and_client},
        },
        testing,
    };

    #[tokio::test]
    async fn removal_suppresses_queued_mail_and_cancels_the_invitation() {
        let app = testing::app().await;
        let (owner, client) = owner_and_client(&app).await;
        let invited = invite(&app, &owner, client.id, "ann@x.test").await;
        let other = invite(&app, &owner, client.id, "bob@x.test").await;
        remove(&app, &owner, client.id, invited.membership.id).await.unwrap();
        app.run_queue().await;
        let mail = async |id| {
            let found = email::Entity::find().filter(email::Column::InvitationId.eq(id)).one(app.db()).await.unwrap();
            found.map(|mail| (mail.status, mail.detail)).unwrap()
        };
        let (status, detail) = mail(invited.invitation.id).await;
        assert_eq!((status, detail.as_deref()), (email::Status::Suppressed, Some("the membership was removed")));
        assert_eq!(mail(other.invitation.id).await.0, email::Status::Sent);
        let status = async |id| invitation::Entity::find_by_id(id).one(app.db()).await.unwrap().unwrap().status;
        assert_eq!(status(invited.invitation.id).await, Status::Cancelled);
        assert_eq!(status(other.invitation.id).await, Status::Pending);
        let words = search_word::Entity::find().filter(search_word::Column::ObjectId.eq(invited.membership.id.0));
        assert!(words.all(app.db()).await.unwrap().is_empty());
        let again = invite(&app, &owner, client.id, "ann@x.test").await;
        assert_ne!(again.membership.id, invited.membership.id);
        app.run_queue().await;
        assert_eq!(mail(again.invitation.id).await.0, email::Status::Sent);
    }

    #[tokio::test]
    async fn removed_membership_is_not_found() {
        let app = testing::app().await;
        let (owner, client) = owner_and_client(&app).await;
        let invited = invite(&app, &owner, client.id, "ann@x.test").await;
        app.run_queue().await;
        remove(&app, &owner, client.id, invited.membership.id).await.unwrap();
        let removed = remove(&app, &owner, client.id, invited.membership.id).await;
        assert!(matches!(removed, Err(Error::NotFound(_))));
        let disable = MemberChange { access: Some(MemberAccess::Disabled), role: None };
        let changed = change(&app, &owner, client.id, invited.membership.id, disable).await;
        assert!(matches!(changed, Err(Error::NotFound(_))));
    }
}
