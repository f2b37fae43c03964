//! The job that corrects invitations and links that a process with a wrong clock has made.

use portico_entity::{
    background_job::Lane,
    invitation,
    link_token::{Column, Entity, Purpose},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::{LinkTokenSettings, NOT_ME_TTL};
use crate::{
    platform::{
        app::App,
        clock::{MAX_CLOCK_ERROR, Time},
        error::Result,
        job::{Job, JobError},
        jobs::clock_check::{clock_is_behind, warn_of_skipped_correction},
        tx::Tx,
    },
    tenancy::invitations::InvitationSettings,
};

/// The maximum number of invitations that one run corrects. The next run corrects further ones.
const BATCH: u64 = 500;

/// Gives each link and each invitation that was made in the future its lifetime from now.
///
/// Without this, such a link would be valid until the time that the wrong clock showed, and until then no newer link of
/// the same invitation or of the same person would be.
#[derive(Default, Serialize, Deserialize)]
pub struct CorrectLinkTimes {}

impl Job for CorrectLinkTimes {
    const NAME: &'static str = "correct_link_times";
    const LANE: Lane = Lane::Maintenance;

    async fn run(&self, app: &App) -> std::result::Result<(), JobError> {
        if clock_is_behind(app).await? {
            warn_of_skipped_correction(Self::NAME);
            return Ok(());
        }
        let now = app.now();
        let mut tx = app.begin().await?;
        let invitations = future_invitations(&tx, now).await?;
        for invitation in &invitations {
            revoke_replaced_links(&mut tx, invitation, now).await?;
        }
        let links = correct_links(&mut tx, now).await?;
        for invitation in &invitations {
            correct_invitation(&mut tx, invitation, now).await?;
        }
        tx.commit().await?;
        if !invitations.is_empty() || links > 0 {
            warn!(invitations = invitations.len(), links, "corrected times that were too far in the future");
        }
        Ok(())
    }
}

/// Returns the pending invitations whose links were made valid in the future.
async fn future_invitations(tx: &Tx, now: Time) -> Result<Vec<invitation::Model>> {
    use invitation::Column;
    let ttl = tx.app().section::<InvitationSettings>().activation_ttl;
    let rows = invitation::Entity::find()
        .filter(Column::Status.eq(invitation::Status::Pending))
        .filter(Column::ExpiresAt.gt(now + ttl + MAX_CLOCK_ERROR))
        .filter(Column::LinksValidFrom.gt(now + MAX_CLOCK_ERROR))
        .limit(BATCH)
        .all(tx.db())
        .await?;
    Ok(rows)
}

/// Revokes the links that a resend has replaced. The corrected times no longer show that they are older.
async fn revoke_replaced_links(tx: &mut Tx, invitation: &invitation::Model, now: Time) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now))
        .filter(Column::InvitationId.eq(invitation.id))
        .filter(Column::IssuedAt.lt(invitation.links_valid_from))
        .filter(Column::UsedAt.is_null())
        .filter(Column::RevokedAt.is_null())
        .exec(tx.db())
        .await?;
    Ok(())
}

/// Corrects the links that were issued in the future, and returns their number.
async fn correct_links(tx: &mut Tx, now: Time) -> Result<u64> {
    let reset = tx.app().section::<LinkTokenSettings>().reset_ttl;
    let activation = tx.app().section::<InvitationSettings>().activation_ttl;
    let mut count = 0;
    let ttl = |purpose| match purpose {
        Purpose::Activation | Purpose::Accept => activation,
        Purpose::Reset => reset,
        Purpose::NotMe => NOT_ME_TTL.to_std().unwrap_or(reset),
    };
    for purpose in [Purpose::Activation, Purpose::Accept, Purpose::Reset, Purpose::NotMe] {
        let ttl = ttl(purpose);
        let corrected = Entity::update_many()
            .col_expr(Column::IssuedAt, Expr::value(now))
            .col_expr(Column::ExpiresAt, Expr::value(now + ttl))
            .filter(Column::Purpose.eq(purpose))
            .filter(Column::ExpiresAt.gt(now + ttl + MAX_CLOCK_ERROR))
            .filter(Column::IssuedAt.gt(now + MAX_CLOCK_ERROR))
            .exec(tx.db())
            .await?;
        count += corrected.rows_affected;
    }
    Ok(count)
}

/// Gives the invitation its lifetime from now.
async fn correct_invitation(tx: &mut Tx, invitation: &invitation::Model, now: Time) -> Result<()> {
    use invitation::Column;
    let ttl = tx.app().section::<InvitationSettings>().activation_ttl;
    invitation::Entity::update_many()
        .col_expr(Column::LinksValidFrom, Expr::value(now))
        .col_expr(Column::LastSentAt, Expr::value(now))
        .col_expr(Column::ExpiresAt, Expr::value(now + ttl))
        .filter(Column::Id.eq(invitation.id))
        // A resend since then has stored right times.
        .filter(Column::LinksValidFrom.eq(invitation.links_valid_from))
        .exec(tx.db())
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use portico_entity::{ClientId, InvitationId, LinkTokenId, link_token, membership::Role, portal_user};
    use sea_orm::{ActiveModelTrait, ActiveValue::Set};

    use super::*;
    use crate::{platform::jobs::clock_check, testing};

    async fn invite(app: &App, client: ClientId, user: &portal_user::Model) -> InvitationId {
        let now = app.now();
        let row = invitation::ActiveModel {
            id: Set(InvitationId(app.new_id())),
            client_id: Set(client),
            portal_user_id: Set(user.id),
            email: Set(user.email.clone()),
            name: Set(user.name.clone()),
            role: Set(Role::Member),
            mode: Set(invitation::Mode::Setup),
            status: Set(invitation::Status::Pending),
            sent_count: Set(2),
            last_sent_at: Set(now),
            links_valid_from: Set(now),
            renewals: Set(0),
            expires_at: Set(now + TimeDelta::hours(72)),
            created_by: Set(None),
            created_by_portal_user: Set(None),
            cancelled_at: Set(None),
            shown_expires_at: Set(None),
            locale: Set(None),
            reminders_sent: Set(0),
            created_at: Set(now),
            tenant_id: Set(None),
            is_search_indexed: Set(true),
        };
        row.insert(app.db()).await.unwrap().id
    }

    /// Inserts a link that is issued at `issued_at` and valid for `ttl`.
    async fn link(
        app: &App,
        user: &portal_user::Model,
        invitation: Option<InvitationId>,
        issued_at: Time,
        ttl: TimeDelta,
    ) -> LinkTokenId {
        let id = LinkTokenId(app.new_id());
        let row = link_token::ActiveModel {
            id: Set(id),
            purpose: Set(if invitation.is_some() { Purpose::Accept } else { Purpose::Reset }),
            portal_user_id: Set(user.id),
            invitation_id: Set(invitation),
            email_id: Set(None),
            secret_hash: Set(id.to_string()),
            key_fingerprint: Set(app.keys().newest().fingerprint().into()),
            credential_version: Set(user.credential_version),
            issued_at: Set(issued_at),
            expires_at: Set(issued_at + ttl),
            used_at: Set(None),
            revoked_at: Set(None),
            created_at: Set(issued_at),
        };
        row.insert(app.db()).await.unwrap().id
    }

    #[tokio::test]
    async fn link_of_a_wrong_clock_is_valid_for_its_lifetime_from_now() {
        for ahead in [TimeDelta::hours(1), TimeDelta::days(400), TimeDelta::days(30_000)] {
            let app = testing::app().await;
            let (client, user) = (app.insert_client().await, app.insert_portal_user().await);
            let state =
                async |id| super::super::load(&app, app.db(), Column::Id.eq(id)).await.unwrap().check_live(app.now());
            let (day, minutes) = (TimeDelta::hours(72), TimeDelta::minutes(30));
            app.clock().advance(ahead);
            let invitation = invite(&app, client.id, &user).await;
            let replaced = link(&app, &user, Some(invitation), app.now() - TimeDelta::minutes(1), day).await;
            let newest = link(&app, &user, Some(invitation), app.now(), day).await;
            let reset = link(&app, &user, None, app.now(), minutes).await;
            app.clock().advance(-ahead);
            CorrectLinkTimes {}.run(&app).await.unwrap();
            assert_eq!(state(newest).await.map_err(|error| error.code()), Ok(()), "{ahead}");
            assert_eq!(state(reset).await.map_err(|error| error.code()), Ok(()), "{ahead}");
            assert_eq!(state(replaced).await.unwrap_err().code(), "token_revoked", "{ahead}");
            let later = link(&app, &user, Some(invitation), app.now(), day).await;
            assert!(state(later).await.is_ok(), "a link that is made now is valid, {ahead}");
            app.clock().advance(minutes);
            assert_eq!(state(reset).await.unwrap_err().code(), "token_expired", "{ahead}");
            app.clock().advance(day);
            assert_eq!(state(newest).await.unwrap_err().code(), "token_expired", "{ahead}");
        }
    }

    #[tokio::test]
    async fn clock_that_is_behind_changes_no_link_and_no_invitation() {
        for behind in clock_check::BEHIND {
            let app = testing::app().await;
            let (client, user) = (app.insert_client().await, app.insert_portal_user().await);
            let invitation = invite(&app, client.id, &user).await;
            link(&app, &user, Some(invitation), app.now() - TimeDelta::minutes(1), TimeDelta::hours(72)).await;
            link(&app, &user, Some(invitation), app.now(), TimeDelta::hours(72)).await;
            link(&app, &user, None, app.now(), TimeDelta::minutes(30)).await;
            clock_check::insert_history(&app).await;
            let rows = async || {
                let links = Entity::find().all(app.db()).await.unwrap();
                (links, invitation::Entity::find().all(app.db()).await.unwrap())
            };
            let before = rows().await;
            app.clock().advance(-behind);
            CorrectLinkTimes {}.run(&app).await.unwrap();
            assert_eq!(rows().await, before, "{behind}");
        }
    }
}
