//! The job that deletes the accounts of people who were invited by mistake.

use chrono::TimeDelta;
use portico_entity::{
    PortalUserId,
    background_job::Lane,
    email,
    invitation::{self, Status},
    link_token, membership, portal_user, session,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, LockType},
};
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::platform::{
    app::App,
    clock::Time,
    error::Result,
    job::{Job, JobError},
    search,
    tx::Tx,
};

/// How many accounts one transaction deletes.
const BATCH: u64 = 100;
/// How long an account without a password, a membership and a pending invitation is kept after its last invitation has
/// ended.
const RETENTION: TimeDelta = TimeDelta::days(30);

/// Deletes portal users who never had a password, have no membership and no pending invitation, and whose last
/// invitation ended 30 days ago, with their ended invitations and links. So a wrong address does not stay.
#[derive(Default, Serialize, Deserialize)]
pub struct DeleteUnusedPortalUsers {}

impl Job for DeleteUnusedPortalUsers {
    const NAME: &'static str = "delete_unused_portal_users";
    const LANE: Lane = Lane::Maintenance;

    async fn run(&self, app: &App) -> std::result::Result<(), JobError> {
        let (mut deleted, mut after) = (0, None);
        loop {
            let mut query = unused(app.now() - RETENTION).select_only().column(portal_user::Column::Id);
            if let Some(after) = after {
                query = query.filter(portal_user::Column::Id.gt(after));
            }
            let query = query.order_by_asc(portal_user::Column::Id).limit(BATCH);
            let ids: Vec<PortalUserId> = query.into_tuple().all(app.db()).await?;
            let Some(last) = ids.last() else { break };
            after = Some(*last);
            deleted += delete(app, &ids).await?;
        }
        info!(deleted, "deleted portal users who never had a password and are not invited any more");
        Ok(())
    }
}

/// A query for the portal users to delete whose last invitation ended before `before`.
fn unused(before: Time) -> Select<portal_user::Entity> {
    use invitation::Column;
    let of_user = |column: sea_orm::sea_query::Expr| column.equals((portal_user::Entity, portal_user::Column::Id));
    let ended_at = Expr::col((invitation::Entity, Column::CancelledAt))
        .if_null(Expr::col((invitation::Entity, Column::LastSentAt)));
    let keeps = Condition::any().add(Column::Status.eq(Status::Pending)).add(ended_at.gte(before));
    let invitations = invitation::Entity::find()
        .select_only()
        .expr(Expr::val(1))
        .filter(of_user(Expr::col((invitation::Entity, Column::PortalUserId))))
        .filter(keeps);
    let memberships = membership::Entity::find()
        .select_only()
        .expr(Expr::val(1))
        .filter(of_user(Expr::col((membership::Entity, membership::Column::PortalUserId))));
    // Without a password there is no session, unless a password was removed by hand.
    let sessions = session::Entity::find()
        .select_only()
        .expr(Expr::val(1))
        .filter(of_user(Expr::col((session::Entity, session::Column::PortalUserId))));
    portal_user::Entity::find()
        .filter(portal_user::Column::PasswordPhc.is_null())
        .filter(portal_user::Column::CredentialVersion.eq(0))
        .filter(portal_user::Column::CreatedAt.lt(before))
        .filter(Expr::exists(memberships.into_query()).not())
        .filter(Expr::exists(invitations.into_query()).not())
        .filter(Expr::exists(sessions.into_query()).not())
}

/// Deletes those of the portal users `ids` who are still unused and returns how many.
async fn delete(app: &App, ids: &[PortalUserId]) -> Result<usize> {
    let mut tx = app.begin().await?;
    let among = portal_user::Column::Id.is_in(ids.iter().copied());
    // Waits for transactions that invite one of them, which lock the row for sharing, and makes later ones wait. The
    // query after it sees what the former have written.
    portal_user::Entity::find().filter(among.clone()).lock(LockType::Update).all(tx.db()).await?;
    let ids: Vec<PortalUserId> = unused(app.now() - RETENTION)
        .select_only()
        .column(portal_user::Column::Id)
        .filter(among)
        .into_tuple()
        .all(tx.db())
        .await?;
    delete_with_rows(&mut tx, &ids).await?;
    tx.commit().await?;
    Ok(ids.len())
}

/// Deletes the portal users `ids` and the rows that refer to them.
async fn delete_with_rows(tx: &mut Tx, ids: &[PortalUserId]) -> Result<()> {
    let users = || ids.iter().copied();
    link_token::Entity::delete_many().filter(link_token::Column::PortalUserId.is_in(users())).exec(tx.db()).await?;
    let invitations = invitation::Entity::delete_many()
        .filter(invitation::Column::PortalUserId.is_in(users()))
        .exec_with_returning(tx.db())
        .await?;
    search::remove(tx, invitations.iter().map(|invitation| invitation.id.0)).await?;
    // The mail log of a tenant keeps the mail for its own time.
    email::Entity::update_many()
        .col_expr(email::Column::PortalUserId, Expr::value(None::<PortalUserId>))
        .filter(email::Column::PortalUserId.is_in(users()))
        .exec(tx.db())
        .await?;
    portal_user::Entity::delete_many().filter(portal_user::Column::Id.is_in(users())).exec(tx.db()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use portico_entity::membership::Role;
    use sea_orm::PaginatorTrait;

    use super::*;
    use crate::{
        tenancy::invitations::{InviteInput, Inviter, SentInvitation, cancel_as, invite_as},
        testing::{self, TestApp},
    };

    async fn invite(app: &TestApp, inviter: &Inviter, client: portico_entity::ClientId, email: &str) -> SentInvitation {
        let input = InviteInput { email: email.parse().unwrap(), name: None, role: Role::Member, locale: None };
        let sent = invite_as(app, inviter, client, input).await.unwrap();
        app.run_queue().await;
        sent
    }

    async fn run(app: &TestApp) -> Vec<String> {
        let mut tx = app.begin().await.unwrap();
        tx.enqueue(DeleteUnusedPortalUsers {}).await.unwrap();
        tx.commit().await.unwrap();
        app.run_queue().await;
        let left = portal_user::Entity::find().order_by_asc(portal_user::Column::Email).all(app.db()).await.unwrap();
        left.into_iter().map(|user| user.email).collect()
    }

    #[tokio::test]
    async fn wrong_address_goes_thirty_days_after_its_last_invitation_was_cancelled() {
        let app = testing::app().await;
        let client = app.insert_client().await;
        let inviter = Inviter::program(client.tenant_id);
        let wrong = invite(&app, &inviter, client.id, "wrong@x.test").await.invitation.id;
        let pending = invite(&app, &inviter, client.id, "pending@x.test").await.invitation.id;
        app.clock().advance(RETENTION);
        assert_eq!(run(&app).await, ["pending@x.test", "wrong@x.test"]);
        cancel_as(&app, &inviter, client.id, wrong).await.unwrap();
        app.clock().advance(RETENTION - TimeDelta::seconds(1));
        assert_eq!(run(&app).await, ["pending@x.test", "wrong@x.test"]);
        app.clock().advance(TimeDelta::seconds(2));
        assert_eq!(run(&app).await, ["pending@x.test"]);
        let left: Vec<_> = invitation::Entity::find().all(app.db()).await.unwrap();
        assert_eq!(left.iter().map(|invitation| invitation.id).collect::<Vec<_>>(), [pending]);
        assert_eq!(link_token::Entity::find().count(app.db()).await.unwrap(), 1);
        // The mail log keeps its rows.
        assert_eq!(email::Entity::find().count(app.db()).await.unwrap(), 2);
        invite(&app, &inviter, client.id, "wrong@x.test").await;
    }

    #[tokio::test]
    async fn person_with_a_password_or_another_invitation_stays() {
        let app = testing::app().await;
        let client = app.insert_client().await;
        let inviter = Inviter::program(client.tenant_id);
        let first = invite(&app, &inviter, client.id, "known@x.test").await;
        cancel_as(&app, &inviter, client.id, first.invitation.id).await.unwrap();
        app.clock().advance(RETENTION - TimeDelta::days(1));
        // Invited and cancelled again.
        let second = invite(&app, &inviter, client.id, "known@x.test").await;
        cancel_as(&app, &inviter, client.id, second.invitation.id).await.unwrap();
        app.clock().advance(TimeDelta::days(2));
        assert_eq!(run(&app).await, ["known@x.test"]);
        portal_user::Entity::update_many()
            .col_expr(portal_user::Column::PasswordPhc, Expr::value("phc"))
            .exec(app.db())
            .await
            .unwrap();
        app.clock().advance(RETENTION * 2);
        assert_eq!(run(&app).await, ["known@x.test"]);
    }
}
