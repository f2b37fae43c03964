//! The job that corrects sessions that a process with a wrong clock has opened or refreshed.

use portico_entity::{
    background_job::Lane,
    session::{Column, Entity},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::SessionSettings;
use crate::{
    identity::devices,
    platform::{
        app::App,
        clock::MAX_CLOCK_ERROR,
        job::{Job, JobError},
        jobs::clock_check::{clock_is_behind, warn_of_skipped_correction},
    },
};

/// Gives each session that was opened in the future its lifetime from now, and each staff session that was refreshed in
/// the future its idle time from now. Dates the cut-offs of known devices that are in the future to now. Without this,
/// such a session would live, and such a cut-off would count, until the time that the wrong clock showed.
#[derive(Default, Serialize, Deserialize)]
pub struct CorrectSessionTimes {}

impl Job for CorrectSessionTimes {
    const NAME: &'static str = "correct_session_times";
    const LANE: Lane = Lane::Maintenance;

    async fn run(&self, app: &App) -> Result<(), JobError> {
        if clock_is_behind(app).await? {
            warn_of_skipped_correction(Self::NAME);
            return Ok(());
        }
        let (now, settings) = (app.now(), app.section::<SessionSettings>());
        let future = now + MAX_CLOCK_ERROR;
        let mut count = 0;
        for (owner, ttl) in [(Column::PortalUserId, settings.refresh_ttl), (Column::StaffUserId, settings.staff_ttl)] {
            let mut update = Entity::update_many().col_expr(Column::ExpiresAt, Expr::value(now + ttl));
            for time in [Column::CreatedAt, Column::AuthTime, Column::LastSeenAt] {
                update = update.col_expr(time, Expr::value(now));
            }
            let update = update
                .filter(owner.is_not_null())
                .filter(Column::ExpiresAt.gt(future + ttl))
                .filter(Column::CreatedAt.gt(future));
            count += update.exec(app.db()).await?.rows_affected;
        }
        let idle = Entity::update_many()
            .col_expr(Column::IdleUntil, Expr::value(now + settings.staff_idle_ttl))
            .col_expr(Column::RotatedAt, Expr::value(now))
            .filter(Column::IdleUntil.gt(future + settings.staff_idle_ttl))
            .filter(Column::RotatedAt.gt(future))
            .exec(app.db())
            .await?;
        count += idle.rows_affected;
        // Until then, a second factor would count as proved.
        let proved = Entity::update_many().col_expr(Column::MfaAt, Expr::value(now)).filter(Column::MfaAt.gt(future));
        count += proved.exec(app.db()).await?.rows_affected;
        count += devices::correct_times(app, now).await?;
        if count > 0 {
            warn!(count, "corrected the times of sessions that were too far in the future");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use portico_entity::{SessionId, StaffUserId, UserId, session, staff_user};
    use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};

    use super::*;
    use crate::{
        platform::jobs::clock_check,
        testing::{self, TestApp},
    };

    /// Inserts a session of `owner` that was opened at this moment.
    async fn open(app: &App, owner: UserId) -> SessionId {
        let (now, settings) = (app.now(), app.section::<SessionSettings>());
        let (user, staff) = match owner {
            UserId::Portal(id) => (Some(id), None),
            UserId::Staff(id) => (None, Some(id)),
        };
        let is_staff = staff.is_some();
        let row = session::ActiveModel {
            id: Set(SessionId(app.new_id())),
            portal_user_id: Set(user),
            staff_user_id: Set(staff),
            client_id: Set(None),
            generation: Set(0),
            rotated_at: Set(now),
            used_generation: Set(None),
            generation_used_at: Set(None),
            method: Set(None),
            mfa_at: Set(None),
            mfa_factor: Set(None),
            passkey_id: Set(None),
            nonce: Set("nonce".into()),
            credential_version: Set(1),
            user_agent: Set(None),
            ip: Set(None),
            auth_time: Set(now),
            created_at: Set(now),
            last_seen_at: Set(now),
            idle_until: Set(is_staff.then(|| now + settings.staff_idle_ttl)),
            expires_at: Set(now + if is_staff { settings.staff_ttl } else { settings.refresh_ttl }),
            revoked_at: Set(None),
            revoked_reason: Set(None),
        };
        row.insert(app.db()).await.unwrap().id
    }

    async fn insert_staff_user(app: &TestApp) -> StaffUserId {
        let row = staff_user::Model {
            id: StaffUserId(app.new_id()),
            tenant_id: app.insert_client().await.tenant_id,
            email: "owner@x.test".into(),
            name: "Olive".into(),
            role: staff_user::Role::Owner,
            credential_version: 0,
            mfa_enabled_at: None,
            factors_version: 0,
            webauthn_handle: None,
            disabled_at: None,
            created_at: app.now(),
            locale: None,
            last_sign_in_at: None,
            invited_by: None,
            removed_at: None,
        };
        row.into_active_model().insert(app.db()).await.unwrap().id
    }

    #[tokio::test]
    async fn session_of_a_wrong_clock_lives_for_its_lifetime_from_now_and_others_are_unchanged() {
        for ahead in [TimeDelta::hours(1), TimeDelta::days(400), TimeDelta::days(30_000)] {
            let app = testing::app().await;
            let settings = app.section::<SessionSettings>();
            let row = async |id| Entity::find_by_id(id).one(app.db()).await.unwrap().unwrap();
            let user = UserId::Portal(app.insert_portal_user().await.id);
            let owner = UserId::Staff(insert_staff_user(&app).await);
            let right = row(open(&app, owner).await).await;
            app.clock().advance(ahead);
            let (portal, staff) = (open(&app, user).await, open(&app, owner).await);
            app.clock().advance(-ahead);
            CorrectSessionTimes {}.run(&app).await.unwrap();
            let (portal, staff) = (row(portal).await, row(staff).await);
            assert_eq!(portal.expires_at, app.now() + settings.refresh_ttl, "{ahead}");
            assert_eq!(staff.expires_at, app.now() + settings.staff_ttl, "{ahead}");
            assert_eq!(staff.idle_until, Some(app.now() + settings.staff_idle_ttl), "{ahead}");
            assert_eq!(row(right.id).await, right);
        }
    }

    #[tokio::test]
    async fn clock_that_is_behind_changes_no_session() {
        for behind in clock_check::BEHIND {
            let app = testing::app().await;
            let user = UserId::Portal(app.insert_portal_user().await.id);
            let owner = UserId::Staff(insert_staff_user(&app).await);
            open(&app, user).await;
            open(&app, owner).await;
            clock_check::insert_history(&app).await;
            let before = Entity::find().all(app.db()).await.unwrap();
            app.clock().advance(-behind);
            CorrectSessionTimes {}.run(&app).await.unwrap();
            assert_eq!(Entity::find().all(app.db()).await.unwrap(), before, "{behind}");
        }
    }
}
