//! Rotating and listing the signing keys by hand.

use portico_entity::{
    SigningKeyId,
    signing_key::{self, Column, Entity},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::Expr};
use serde_json::json;

use super::signing_keys::{MAX_CLOCK_SKEW, PUBLISHED_KEYS_MAX_AGE, SIGNING_PERIOD, insert_key};
use crate::platform::{
    actor::Actor,
    app::App,
    audit,
    clock::Time,
    error::{Error, Result},
    tx::Tx,
};

/// When the keys of before a rotation stop being valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// They stay published until every token that they signed has expired. The next key becomes the current one when
    /// every verifier has had the time to fetch it.
    Gradual,
    /// At once: they leave the published keys, and tokens that they signed are refused. Sessions go on, because refresh
    /// tokens do not depend on the signing keys.
    Immediate,
}

/// What a signing key does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It is published and signs later.
    Next,
    /// It signs.
    Current,
    /// It no longer signs, and is published until the tokens that it signed have expired.
    Previous,
    /// It is not used, because the entry of `PORTICO_SECRET` from which it is derived was removed.
    Unusable,
}

/// A signing key with its state.
#[derive(Clone, Debug)]
pub struct ListedKey {
    /// The row.
    pub key: signing_key::Model,
    /// What the key does now.
    pub state: KeyState,
}

/// Returns all signing keys with their states, the one that signs last first.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub async fn list_keys(app: &App) -> Result<Vec<ListedKey>> {
    let rows = Entity::find().order_by_desc(Column::ActiveFrom).order_by_desc(Column::Id).all(app.db()).await?;
    let mut has_current = false;
    let mut keys = Vec::with_capacity(rows.len());
    for key in rows {
        let state = if app.keys().by_fingerprint(&key.key_fingerprint).is_none() {
            KeyState::Unusable
        } else if key.active_from > app.now() {
            KeyState::Next
        } else if key.retired_at.is_none() && !has_current {
            has_current = true;
            KeyState::Current
        } else {
            KeyState::Previous
        };
        keys.push(ListedKey { key, state });
    }
    Ok(keys)
}

/// Makes a new next key, and the present next key the current one. Records an audit event. Returns the id of the key
/// that becomes the current one, and when it does.
///
/// With [`Rotation::Gradual`], the key becomes the current one as soon as it has been published for as long as others
/// may cache the published keys, which may be now. If the first entry of `PORTICO_SECRET` has changed since the next
/// key was made, a key of the new entry takes its place. With [`Rotation::Immediate`], a new key is the current one at
/// once, and all other keys are deleted. The running processes follow within a minute.
///
/// # Errors
/// `conflict` when the next key has become the current one at the same time. `unavailable` or `internal` when the
/// database fails. In each case no key is changed.
pub async fn rotate_keys(app: &App, rotation: Rotation) -> Result<(SigningKeyId, Time)> {
    let mut tx = app.begin().await?;
    let promoted = match rotation {
        Rotation::Gradual => promote_next(&mut tx).await?,
        Rotation::Immediate => replace_all(&mut tx).await?,
    };
    let (id, active_from) = promoted;
    let details = json!({ "active_from": active_from, "immediate": rotation == Rotation::Immediate });
    let event = audit::Event::new("signing_keys.rotated").target("signing_key", id.0).details(details);
    audit::record(&mut tx, Actor::SYSTEM, event).await?;
    tx.commit().await?;
    Ok(promoted)
}

/// Makes the next key of the first entry of `PORTICO_SECRET` the current one when it has been published for long
/// enough, and inserts a new next key. Returns the id of the key that becomes the current one, and when it does.
///
/// # Errors
/// `conflict` when the key has become the current one at the same time. `unavailable` or `internal` when the database
/// fails.
pub(super) async fn promote_next(tx: &mut Tx) -> Result<(SigningKeyId, Time)> {
    let app = tx.app().clone();
    let (now, entry) = (app.now(), app.keys().newest().fingerprint().to_owned());
    let waiting = Entity::find().filter(Column::ActiveFrom.gt(now)).order_by_asc(Column::ActiveFrom);
    let next = waiting.filter(Column::KeyFingerprint.eq(&entry)).one(tx.db()).await?;
    let (id, published_at) = match next {
        Some(key) => (key.id, key.created_at),
        None => (insert_key(&app, tx.db(), now + SIGNING_PERIOD).await?, now),
    };
    // A creation in the future was stored by a process with a wrong clock.
    let active_from = (published_at.min(now) + PUBLISHED_KEYS_MAX_AGE).max(now);
    let promoted = Entity::update_many()
        .col_expr(Column::ActiveFrom, Expr::value(active_from))
        .filter(Column::Id.eq(id))
        .filter(Column::ActiveFrom.gt(now))
        .exec(tx.db())
        .await?;
    if promoted.rows_affected == 0 {
        return Err(Error::CONFLICT);
    }
    // Any other key that waits was made by an entry that is no longer the first one, or by a rotation before this one.
    // It has signed nothing.
    Entity::delete_many().filter(Column::ActiveFrom.gt(now)).filter(Column::Id.ne(id)).exec(tx.db()).await?;
    insert_key(&app, tx.db(), now + SIGNING_PERIOD).await?;
    Ok((id, active_from))
}

/// Inserts a current and a next key, and deletes all others.
async fn replace_all(tx: &mut Tx) -> Result<(SigningKeyId, Time)> {
    let app = tx.app().clone();
    // The key is active on the clock of every process: a process that finds no active key would insert another one.
    let active_from = app.now() - MAX_CLOCK_SKEW;
    let current = insert_key(&app, tx.db(), active_from).await?;
    let next = insert_key(&app, tx.db(), app.now() + SIGNING_PERIOD).await?;
    Entity::delete_many().filter(Column::Id.is_not_in([current, next])).exec(tx.db()).await?;
    Ok((current, active_from))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::{super::SigningKeys, *};
    use crate::{
        identity::sessions::{RotateSigningKeys, jwks},
        platform::job::Job,
        testing::{self, TestApp},
    };

    async fn current(app: &TestApp) -> SigningKeyId {
        app.clock().advance(TimeDelta::minutes(1));
        app.get::<SigningKeys>().current(app).await.unwrap().id
    }

    async fn published(app: &TestApp) -> Vec<String> {
        jwks(app).await.unwrap().into_iter().map(|key| key.kid).collect()
    }

    fn states(keys: &[ListedKey]) -> Vec<KeyState> {
        keys.iter().map(|key| key.state).collect()
    }

    #[tokio::test]
    async fn jwt_04_the_next_key_signs_when_it_has_been_published_for_long_enough() {
        for age in [TimeDelta::zero(), TimeDelta::minutes(20), TimeDelta::days(9)] {
            let app = testing::app().await;
            RotateSigningKeys {}.run(&app).await.unwrap();
            let first = current(&app).await;
            app.clock().advance(age);
            let before = app.now();
            let (next, active_from) = rotate_keys(&app, Rotation::Gradual).await.unwrap();
            let waits = active_from - before;
            assert!(waits >= TimeDelta::zero() && waits <= PUBLISHED_KEYS_MAX_AGE, "{age}: {waits}");
            assert_eq!(waits == TimeDelta::zero(), age >= PUBLISHED_KEYS_MAX_AGE, "{age}: {waits}");
            if waits > TimeDelta::minutes(2) {
                assert_eq!(current(&app).await, first, "{age}");
            }
            app.clock().advance(waits);
            assert_eq!(current(&app).await, next, "{age}");
            for _ in 0..3 {
                RotateSigningKeys {}.run(&app).await.unwrap();
                app.clock().advance(TimeDelta::hours(1));
            }
            use KeyState::{Current, Next, Previous};
            assert_eq!(states(&list_keys(&app).await.unwrap()), [Next, Current, Previous], "{age}");
            assert!(published(&app).await.contains(&first.to_string()), "tokens of the old key stay valid");
        }
    }

    #[tokio::test]
    async fn jwt_04_an_immediate_rotation_leaves_no_older_key_and_none_comes_back() {
        let app = testing::app().await;
        RotateSigningKeys {}.run(&app).await.unwrap();
        let first = current(&app).await;
        rotate_keys(&app, Rotation::Gradual).await.unwrap();
        let (new, _) = rotate_keys(&app, Rotation::Immediate).await.unwrap();
        assert_eq!(current(&app).await, new);
        for _ in 0..5 {
            assert!(app.get::<SigningKeys>().by_id(&app, first).await.unwrap().is_none());
            RotateSigningKeys {}.run(&app).await.unwrap();
            app.clock().advance(TimeDelta::minutes(2));
            assert_eq!(published(&app).await.len(), 2);
        }
        assert_eq!(states(&list_keys(&app).await.unwrap()), [KeyState::Next, KeyState::Current]);
    }

    #[tokio::test]
    async fn a_key_of_the_first_entry_signs_soon_after_the_entry_has_become_the_first() {
        let (new, old) =
            ("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "bmV3LXNlY3JldC1vZi1hLXVuaXQtdGVzdC0tLS0tLS0=");
        let app = testing::app_with_secret(&format!("{new},{old}")).await;
        RotateSigningKeys {}.run(&app).await.unwrap();
        let entries: Vec<_> = app.keys().fingerprints().map(str::to_owned).collect();
        let update = Entity::update_many().col_expr(Column::KeyFingerprint, Expr::value(&entries[1]));
        update.exec(app.db()).await.unwrap();
        let first = current(&app).await;
        // The job runs once an hour.
        for hour in 0..4 {
            RotateSigningKeys {}.run(&app).await.unwrap();
            let row = Entity::find_by_id(current(&app).await).one(app.db()).await.unwrap().unwrap();
            assert_eq!(row.key_fingerprint, entries[usize::from(hour < 1)], "hour {hour}");
            assert!(published(&app).await.contains(&first.to_string()), "older tokens stay valid");
            app.clock().advance(TimeDelta::hours(1));
        }
    }

    #[tokio::test]
    async fn several_rotations_in_a_row_keep_one_next_key() {
        let app = testing::app().await;
        RotateSigningKeys {}.run(&app).await.unwrap();
        for _ in 0..4 {
            rotate_keys(&app, Rotation::Gradual).await.unwrap();
            app.clock().advance(TimeDelta::minutes(1));
            let states = states(&list_keys(&app).await.unwrap());
            assert!(states.iter().filter(|state| **state == KeyState::Next).count() <= 2, "{states:?}");
            assert!(states.contains(&KeyState::Current));
        }
    }
}
