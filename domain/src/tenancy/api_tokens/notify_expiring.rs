//! The job that tells the owners of API tokens that a token expires within a week.

use portico_entity::{
    api_token::{self, Column, Entity},
    background_job::Lane,
    email::Kind,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use serde::{Deserialize, Serialize};
use tracing::info;

use super::notice;
use crate::platform::{
    app::App,
    error::Result,
    job::{Job, JobError},
};

/// How many tokens are read at once.
const BATCH: u64 = 100;

/// Enqueues one mail for each live token that expires within a week. A token that was created for a week or less has no
/// such mail.
#[derive(Default, Serialize, Deserialize)]
pub struct NotifyExpiringTokens {}

impl Job for NotifyExpiringTokens {
    const NAME: &'static str = "notify_expiring_tokens";
    const LANE: Lane = Lane::Maintenance;

    async fn run(&self, app: &App) -> std::result::Result<(), JobError> {
        let mut notified = 0;
        loop {
            let due = Entity::find().filter(is_due(app)).order_by_asc(Column::Id).limit(BATCH).all(app.db()).await?;
            if due.is_empty() {
                info!(tokens = notified, "enqueued mails about expiring tokens");
                return Ok(());
            }
            for token in due {
                notified += u32::from(notify(app, &token).await?);
            }
        }
    }
}

/// Matches live tokens whose notice is due.
fn is_due(app: &App) -> Condition {
    Condition::all()
        .add(Column::ExpiryNoticeAt.lte(app.now()))
        .add(Column::ExpiresAt.gt(app.now()))
        .add(Column::RevokedAt.is_null())
}

/// Enqueues the mails about one token, unless another run of the job has. Returns whether it did.
async fn notify(app: &App, token: &api_token::Model) -> Result<bool> {
    let mut tx = app.begin().await?;
    let taken = Entity::update_many()
        .col_expr(Column::ExpiryNoticeAt, Expr::value(None::<chrono::DateTime<chrono::Utc>>))
        .filter(Column::Id.eq(token.id))
        .filter(is_due(app))
        .exec(tx.db())
        .await?;
    if taken.rows_affected == 0 {
        return Ok(false);
    }
    notice::enqueue(&mut tx, Kind::TokenExpiring, token).await?;
    tx.commit().await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use portico_entity::email;
    use sea_orm::PaginatorTrait;

    use super::*;
    use crate::{
        tenancy::api_tokens::testing::{insert_owner, insert_token},
        testing,
    };

    #[tokio::test]
    async fn token_that_lives_longer_than_a_week_is_announced_once() {
        let app = testing::app().await;
        let owner = insert_owner(&app).await;
        for days in [7, 8, 8] {
            insert_token(&app, &owner, days).await;
        }
        let mails = async || {
            // Twice, because a job may run more than once.
            for _ in 0..2 {
                let mut tx = app.begin().await.unwrap();
                tx.enqueue(NotifyExpiringTokens {}).await.unwrap();
                tx.commit().await.unwrap();
                app.run_queue().await;
            }
            let sent = email::Entity::find().filter(email::Column::Kind.eq(Kind::TokenExpiring));
            sent.filter(email::Column::Status.eq(email::Status::Sent)).count(app.db()).await.unwrap()
        };
        assert_eq!(mails().await, 0);
        app.clock().advance(TimeDelta::days(1));
        assert_eq!(mails().await, 2);
        app.clock().advance(TimeDelta::days(1));
        assert_eq!(mails().await, 2);
    }

    #[tokio::test]
    async fn revoked_or_expired_token_is_not_announced() {
        let app = testing::app().await;
        let owner = insert_owner(&app).await;
        let revoked = insert_token(&app, &owner, 30).await;
        insert_token(&app, &owner, 10).await;
        app.run_queue().await;
        Entity::update_many()
            .col_expr(Column::RevokedAt, Expr::value(app.now()))
            .filter(Column::Id.eq(revoked.row.id))
            .exec(app.db())
            .await
            .unwrap();
        app.clock().advance(TimeDelta::days(29));
        NotifyExpiringTokens {}.run(&app).await.unwrap();
        let mails = email::Entity::find().filter(email::Column::Kind.eq(Kind::TokenExpiring));
        assert_eq!(mails.count(app.db()).await.unwrap(), 0);
    }
}
