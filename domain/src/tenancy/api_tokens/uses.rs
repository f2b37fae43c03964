//! When API tokens were last used.
//!
//! A process notes uses in memory and writes them together about once a minute, because a write for each request would
//! cost more than the request. A process that is killed loses what it has not written.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use portico_entity::{
    ApiTokenId,
    api_token::{Column, Entity},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, sea_query::Expr};

use crate::platform::{app::App, clock::Time, error::Result};

/// How many tokens one statement updates.
const BATCH: usize = 500;

/// The uses that this process has not written yet: of each token, the time of the last use.
#[derive(Default)]
pub struct TokenUses(Mutex<HashMap<ApiTokenId, Time>>);

impl TokenUses {
    /// Notes that the token was used at `at`. The token exists, so the number of entries is bounded by that of tokens.
    pub(super) fn note(&self, token: ApiTokenId, at: Time) {
        self.uses().insert(token, at);
    }

    fn uses(&self) -> MutexGuard<'_, HashMap<ApiTokenId, Time>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the uses that this process has noted, with one `UPDATE` for up to 500 tokens. All of them get the time of the
/// newest use, so `last_used_at` is right to about the time between two calls. Returns the number of tokens.
///
/// # Errors
/// `unavailable` or `internal` when the database fails. The uses that were not written are noted again.
pub async fn record_uses(app: &App) -> Result<usize> {
    let noted: Vec<_> = std::mem::take(&mut *app.get::<TokenUses>().uses()).into_iter().collect();
    let written = write(app, &noted).await;
    if written.is_err() {
        let mut uses = app.get::<TokenUses>().uses();
        for (token, at) in &noted {
            uses.entry(*token).or_insert(*at);
        }
    }
    written.map(|()| noted.len())
}

async fn write(app: &App, noted: &[(ApiTokenId, Time)]) -> Result<()> {
    for batch in noted.chunks(BATCH) {
        let Some(newest) = batch.iter().map(|(_, at)| *at).max() else { continue };
        // Another process may have written a later use.
        let is_older = Condition::any().add(Column::LastUsedAt.is_null()).add(Column::LastUsedAt.lt(newest));
        Entity::update_many()
            .col_expr(Column::LastUsedAt, Expr::value(newest))
            .filter(Column::Id.is_in(batch.iter().map(|(token, _)| *token)))
            .filter(is_older)
            .exec(app.db())
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::{
        tenancy::api_tokens::{
            authenticate,
            testing::{insert_owner, insert_token},
        },
        testing,
    };

    #[tokio::test]
    async fn uses_are_written_together_and_an_older_one_changes_nothing() {
        let app = testing::app().await;
        app.leave_jobs();
        let owner = insert_owner(&app).await;
        let tokens = [insert_token(&app, &owner, 10).await, insert_token(&app, &owner, 10).await];
        let last_used =
            async |n: usize| Entity::find_by_id(tokens[n].row.id).one(app.db()).await.unwrap().unwrap().last_used_at;
        for token in &tokens {
            for _ in 0..3 {
                authenticate(&app, &token.secret, testing::context()).await.unwrap();
            }
        }
        assert_eq!((last_used(0).await, last_used(1).await), (None, None));
        assert_eq!(record_uses(&app).await.unwrap(), 2);
        assert_eq!((last_used(0).await, last_used(1).await), (Some(app.now()), Some(app.now())));
        assert_eq!(record_uses(&app).await.unwrap(), 0);
        app.get::<TokenUses>().note(tokens[0].row.id, app.now() - TimeDelta::minutes(5));
        assert_eq!(record_uses(&app).await.unwrap(), 1);
        assert_eq!(last_used(0).await, Some(app.now()));
    }
}
