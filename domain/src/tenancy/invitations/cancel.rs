//! Cancelling an invitation.

use portico_entity::{
    ClientId, InvitationId, PortalUserId, TenantId, client, email,
    invitation::{self, Column, Status},
    membership,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait, sea_query::Expr};

use super::inviter::Inviter;
use crate::{
    platform::{
        actor::{Actor, Authorized, access::ClientsEdit},
        app::App,
        audit,
        error::{Error, Result},
        search,
        tx::Tx,
    },
    tenancy::clients,
};

/// Cancels an invitation to a client of the caller's tenant. Cancelling a cancelled invitation changes nothing.
///
/// # Errors
/// - `not_found`: the inviter's tenant has no client with this id, or the client has no invitation with this id.
/// - `forbidden` or `client_suspended`: a colleague is no longer an administrator of the client, or it is archived.
/// - `already_activated`: the invitation was accepted.
/// - `unavailable` or `internal`: a database query failed.
pub async fn cancel(app: &App, caller: &Authorized<ClientsEdit>, client: ClientId, id: InvitationId) -> Result<()> {
    cancel_as(app, &caller.into(), client, id).await
}

/// Cancels an invitation as [`cancel`] does. The function checks no permission.
///
/// The links of the invitation become invalid, its queued mails are suppressed, and the membership is removed.
///
/// # Errors
/// The errors of [`cancel`].
pub(crate) async fn cancel_as(app: &App, inviter: &Inviter, client: ClientId, id: InvitationId) -> Result<()> {
    let client = clients::of(inviter.tenant).find(app.db(), client).await?;
    let mut tx = app.begin().await?.caused_by(inviter.request_id);
    inviter.require_rights(&mut tx, client.id).await?;
    let which = Condition::all().add(Column::Id.eq(id)).add(Column::ClientId.eq(client.id));
    let cancelled = end(&mut tx, which).await?;
    if cancelled.is_empty() {
        return match super::find(tx.db(), client.id, id).await?.status {
            Status::Cancelled => Ok(()),
            Status::Accepted => Err(Error::Conflict("already_activated")),
            Status::Pending | Status::Expired => {
                Err(Error::ConflictBecause("Another request has changed the invitation."))
            }
        };
    }
    record(&mut tx, &inviter.actor, client.tenant_id, &cancelled).await?;
    tx.commit().await
}

/// Cancels the pending and expired invitations that the portal user `creator` has created at `client`, because the user
/// is no longer an administrator there. Returns how many.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn cancel_created_by(
    tx: &mut Tx,
    actor: impl Into<Actor>,
    client: &client::Model,
    creator: PortalUserId,
) -> Result<usize> {
    let created_by = Column::CreatedByPortalUser.eq(creator);
    let cancelled = end(tx, Condition::all().add(created_by).add(Column::ClientId.eq(client.id))).await?;
    record(tx, &actor.into(), client.tenant_id, &cancelled).await?;
    Ok(cancelled.len())
}

/// Records the audit event `invitation.cancelled` for each of `cancelled`.
async fn record(tx: &mut Tx, actor: &Actor, tenant: TenantId, cancelled: &[invitation::Model]) -> Result<()> {
    let events = cancelled.iter().map(|invitation| {
        let event = audit::Event::new("invitation.cancelled").target("invitation", invitation.id.0);
        (actor.clone(), event.tenant(tenant).client(invitation.client_id))
    });
    audit::record_all(tx, events.collect::<Vec<_>>()).await
}

/// Cancels the invitations that match `which` and are neither accepted nor cancelled, suppresses their queued mails,
/// and removes their memberships. Returns the cancelled invitations.
///
/// One conditional `UPDATE` does this, so an invitation is either accepted or cancelled. The caller records the audit
/// events.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(super) async fn end(tx: &mut Tx, which: Condition) -> Result<Vec<invitation::Model>> {
    let now = tx.app().now();
    let cancelled = invitation::Entity::update_many()
        .col_expr(Column::Status, Expr::value(Status::Cancelled))
        .col_expr(Column::CancelledAt, Expr::value(now))
        .filter(which)
        .filter(Column::Status.is_in([Status::Pending, Status::Expired]))
        .exec_with_returning(tx.db())
        .await?;
    if cancelled.is_empty() {
        return Ok(cancelled);
    }
    let ids = || cancelled.iter().map(|invitation| invitation.id);
    email::Entity::update_many()
        .col_expr(email::Column::Status, Expr::value(email::Status::Suppressed))
        .col_expr(email::Column::Detail, Expr::value("the invitation was cancelled"))
        .filter(email::Column::InvitationId.is_in(ids()))
        .filter(email::Column::Status.eq(email::Status::Queued))
        .exec(tx.db())
        .await?;
    // Without the table, the column would be that of the invitation, and every invited membership would be removed.
    let of_row = |column: membership::Column| (membership::Entity, column);
    let of_membership = invitation::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Id.is_in(ids()))
        .filter(Expr::col((invitation::Entity, Column::PortalUserId)).equals(of_row(membership::Column::PortalUserId)))
        .filter(Expr::col((invitation::Entity, Column::ClientId)).equals(of_row(membership::Column::ClientId)));
    let removed = membership::Entity::delete_many()
        .filter(membership::Column::Status.eq(membership::Status::Invited))
        .filter(Expr::exists(of_membership.into_query()))
        .exec_with_returning(tx.db())
        .await?;
    search::remove(tx, removed.iter().map(|membership| membership.id.0)).await?;
    Ok(cancelled)
}

#[cfg(test)]
mod tests {
    use portico_entity::{membership::Role, search_word};
    use sea_orm::QueryOrder;

    use super::*;
    use crate::{
        tenancy::invitations::{InviteInput, invite_as},
        testing,
    };

    #[tokio::test]
    async fn queued_mail_and_membership_go_and_the_invitation_stays() {
        let app = testing::app().await;
        let client = app.insert_client().await;
        let inviter = Inviter::program(client.tenant_id);
        let input = InviteInput { email: "ann@x.test".parse().unwrap(), name: None, role: Role::Member, locale: None };
        let sent = invite_as(&app, &inviter, client.id, input).await.unwrap();
        cancel_as(&app, &inviter, client.id, sent.invitation.id).await.unwrap();
        cancel_as(&app, &inviter, client.id, sent.invitation.id).await.unwrap();
        let mails = email::Entity::find().all(app.db()).await.unwrap();
        assert_eq!(mails.iter().map(|mail| mail.status).collect::<Vec<_>>(), [email::Status::Suppressed]);
        assert!(membership::Entity::find().one(app.db()).await.unwrap().is_none());
        let words = search_word::Entity::find().all(app.db()).await.unwrap();
        assert!(!words.is_empty() && words.iter().all(|word| word.object_id == sent.invitation.id.0));
        let invitation = super::super::find(app.db(), client.id, sent.invitation.id).await.unwrap();
        assert_eq!((invitation.status, invitation.cancelled_at), (Status::Cancelled, Some(app.now())));
        app.run_queue().await;
    }

    #[tokio::test]
    async fn invitations_of_an_administrator_end_with_the_rights() {
        let app = testing::app().await;
        let client = app.insert_client().await;
        let admin = app.admin_of(&client, "ann@x.test").await;
        let inviters = [Inviter::program(client.tenant_id), Inviter::from(&admin)];
        for (inviter, email) in inviters.iter().zip(["bob@x.test", "cat@x.test"]) {
            let input = InviteInput { email: email.parse().unwrap(), name: None, role: Role::Member, locale: None };
            invite_as(&app, inviter, client.id, input).await.unwrap();
        }
        let mut tx = app.begin().await.unwrap();
        assert_eq!(cancel_created_by(&mut tx, Actor::SYSTEM, &client, admin.user.id).await.unwrap(), 1);
        tx.commit().await.unwrap();
        let left = invitation::Entity::find().filter(Column::Status.eq(Status::Pending)).all(app.db()).await.unwrap();
        assert_eq!(left.iter().map(|invitation| &*invitation.email).collect::<Vec<_>>(), ["bob@x.test"]);
        let members = membership::Entity::find().order_by_asc(membership::Column::DisplayName);
        let members = members.all(app.db()).await.unwrap();
        let members: Vec<_> = members.iter().map(|membership| &*membership.display_name).collect();
        assert_eq!(members, ["Ann", "bob"], "the membership of the other invited person stays");
        app.run_queue().await;
    }
}
