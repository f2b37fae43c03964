//! The keys that sign access tokens, their rotation, and the published key set (JWKS).
//!
//! The key set always holds the next key and the current key, and for some time the previous key. So a service that
//! caches the key set knows every key before the key signs. The private key is derived from the server key and the
//! row's id; it is not stored.

use std::{
    num::NonZero,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use ed25519_dalek::{SigningKey, VerifyingKey};
use lru::LruCache;
use portico_entity::{
    SigningKeyId,
    background_job::Lane,
    signing_key::{self, Column},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::Expr};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::RwLock;

use crate::platform::{
    app::App,
    clock::{self, Time},
    error::{Error, Result},
    job::{Job, JobError},
    jobs::clock_check::{clock_is_behind, warn_of_skipped_correction},
    keys::KeyUse,
    secret::PlainToken,
};

use super::{access_token::VerifiedToken, rotate_keys::promote_next};

/// How long a key signs tokens.
pub(super) const SIGNING_PERIOD: TimeDelta = TimeDelta::days(30);
/// How long a retired key stays published. This is longer than the lifetime of any token that the key signed.
const PUBLISHED_AFTER_RETIREMENT: TimeDelta = TimeDelta::days(2);
/// The largest difference between the clocks of two processes that the rotation allows for.
pub(super) const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::minutes(2);
/// How long others may cache the published keys: the `max-age` of the response, and the tolerance of their clocks.
pub(super) const PUBLISHED_KEYS_MAX_AGE: TimeDelta =
    TimeDelta::seconds(JWKS_MAX_AGE_SECONDS as i64 + MAX_CLOCK_SKEW.num_seconds());
/// How long others may cache the published keys, in seconds (`Cache-Control`, RFC 9111 §5.2.2.1).
pub const JWKS_MAX_AGE_SECONDS: u32 = 3_600;
/// How long this process uses its cached copy of the keys.
const CACHE_TTL: TimeDelta = TimeDelta::minutes(1);
/// The shortest time between two loads of the keys. An unknown key id causes a load before [`CACHE_TTL`] is over, and
/// invalid tokens must not cause a query each.
const RELOAD_INTERVAL: TimeDelta = TimeDelta::seconds(5);

/// The most verified tokens that are remembered. Verifying a signature takes longer than all other work of a request
/// outside the database.
const MAX_REMEMBERED_TOKENS: NonZero<usize> = NonZero::new(4_096).unwrap();

/// The signing keys as cached by this process, and the tokens whose signatures it has verified.
pub struct SigningKeys {
    /// `None` until the first load.
    cache: RwLock<Option<KeyCache>>,
    /// The verified tokens by the SHA-256 of each token, so that no token stays in memory.
    verified: Mutex<LruCache<[u8; 32], VerifiedToken>>,
}

impl Default for SigningKeys {
    fn default() -> Self {
        Self { cache: RwLock::default(), verified: Mutex::new(LruCache::new(MAX_REMEMBERED_TOKENS)) }
    }
}

/// The keys at the time of a load.
#[derive(Clone)]
struct KeyCache {
    loaded_at: Time,
    /// The published keys, newest first. The first one is usually the next key, which does not sign yet.
    keys: Arc<[Arc<LoadedKey>]>,
}

/// A signing key with its derived key pair.
pub(super) struct LoadedKey {
    /// The `kid` of the key.
    pub(super) id: SigningKeyId,
    /// The private key.
    pub(super) secret: SigningKey,
    /// The public key.
    pub(super) public: VerifyingKey,
    /// The fingerprint of the entry of `PORTICO_SECRET` from which the key is derived.
    entry: String,
    /// When the key starts to sign.
    active_from: Time,
    /// Whether the key has stopped signing.
    retired: bool,
}

/// An Ed25519 public key as a JSON Web Key (RFC 8037 §2), without the members that are the same for every key.
#[derive(Clone, Debug)]
pub struct Jwk {
    /// The key's id.
    pub kid: String,
    /// The 32 bytes of the public key as base64url without padding.
    pub x: String,
}

/// Returns the public keys that verify access tokens: next, current and, for some time, previous.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub async fn jwks(app: &App) -> Result<Vec<Jwk>> {
    let cache = app.get::<SigningKeys>().load_keys_if_older_than(app, CACHE_TTL).await?;
    let jwk =
        |key: &Arc<LoadedKey>| Jwk { kid: key.id.to_string(), x: BASE64_URL_SAFE_NO_PAD.encode(key.public.as_bytes()) };
    Ok(cache.keys.iter().map(jwk).collect())
}

impl SigningKeys {
    /// Returns the key that signs now.
    ///
    /// # Errors
    /// `unavailable` or `internal` when the database fails; `internal` when no signing key is active.
    pub(super) async fn current(&self, app: &App) -> Result<Arc<LoadedKey>> {
        let cache = self.load_keys_if_older_than(app, CACHE_TTL).await?;
        let current = cache.keys.iter().find(|key| key.active_from <= app.now() && !key.retired);
        current.cloned().ok_or_else(|| Error::Internal("no signing key is active".into()))
    }

    /// Returns what is remembered of this token, if this process has verified its signature before. The token may
    /// have expired since, and its key may be gone.
    pub(super) fn recall(&self, token: &PlainToken) -> Option<VerifiedToken> {
        self.verified_tokens().get(&hash(token)).cloned()
    }

    /// Remembers that the signature of this token is valid.
    pub(super) fn remember(&self, token: &PlainToken, verified: VerifiedToken) {
        self.verified_tokens().put(hash(token), verified);
    }

    fn verified_tokens(&self) -> MutexGuard<'_, LruCache<[u8; 32], VerifiedToken>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the key `id` if it is among the keys that were loaded last.
    pub(super) fn loaded(&self, id: SigningKeyId) -> Option<Arc<LoadedKey>> {
        let cache = self.cache.try_read().ok()?;
        cache.as_ref()?.keys.iter().find(|key| key.id == id).cloned()
    }

    /// Returns the key `id`, or `None` if it is not published. When the cached copy lacks the key and is older than
    /// [`RELOAD_INTERVAL`], loads the keys again.
    ///
    /// # Errors
    /// `unavailable` or `internal` when the database fails.
    pub(super) async fn by_id(&self, app: &App, id: SigningKeyId) -> Result<Option<Arc<LoadedKey>>> {
        for max_age in [CACHE_TTL, RELOAD_INTERVAL] {
            let cache = self.load_keys_if_older_than(app, max_age).await?;
            if let Some(key) = cache.keys.iter().find(|key| key.id == id) {
                return Ok(Some(key.clone()));
            }
        }
        Ok(None)
    }

    /// Returns the cached keys if they are younger than `max_age`; otherwise loads them. If no key is active, inserts a
    /// current and a next key.
    ///
    /// # Errors
    /// `unavailable` or `internal` if the database fails.
    async fn load_keys_if_older_than(&self, app: &App, max_age: TimeDelta) -> Result<KeyCache> {
        // The difference is negative after the clock was set back.
        let is_fresh = |cache: &KeyCache| (app.now() - cache.loaded_at).abs() < max_age;
        if let Some(cache) = self.cache.read().await.as_ref().filter(|cache| is_fresh(cache)) {
            return Ok(cache.clone());
        }
        let mut slot = self.cache.write().await;
        if let Some(cache) = slot.as_ref().filter(|cache| is_fresh(cache)) {
            return Ok(cache.clone());
        }
        let mut cache = load(app).await?;
        if !cache.keys.iter().any(|key| key.active_from <= app.now() && !key.retired) {
            // Portico starts for the first time, or the entry of `PORTICO_SECRET` from which the keys were derived
            // was removed.
            insert_key(app, app.db(), app.now()).await?;
            insert_key(app, app.db(), app.now() + SIGNING_PERIOD).await?;
            cache = load(app).await?;
        }
        Ok(slot.insert(cache).clone())
    }
}

fn hash(token: &PlainToken) -> [u8; 32] {
    Sha256::digest(token.reveal()).into()
}

/// Loads the keys whose entry of `PORTICO_SECRET` is still in the list, newest first, and derives their key pairs.
async fn load(app: &App) -> Result<KeyCache> {
    let rows =
        signing_key::Entity::find().order_by_desc(Column::ActiveFrom).order_by_desc(Column::Id).all(app.db()).await?;
    let usable = rows.into_iter().filter_map(|row| {
        let seed = app.keys().by_fingerprint(&row.key_fingerprint)?.mac(KeyUse::Signing, &[row.id.0.as_bytes()]);
        let secret = SigningKey::from_bytes(&seed);
        let (id, active_from, retired) = (row.id, row.active_from, row.retired_at.is_some());
        let (entry, public) = (row.key_fingerprint, secret.verifying_key());
        Some(Arc::new(LoadedKey { id, public, secret, entry, active_from, retired }))
    });
    Ok(KeyCache { loaded_at: app.now(), keys: usable.collect() })
}

/// Inserts a key that signs from `active_from`, and returns its id.
pub(super) async fn insert_key(app: &App, db: &impl ConnectionTrait, active_from: Time) -> Result<SigningKeyId> {
    let id = SigningKeyId(app.new_id());
    let row = signing_key::ActiveModel {
        id: Set(id),
        key_fingerprint: Set(app.keys().newest().fingerprint().into()),
        active_from: Set(active_from),
        retired_at: Set(None),
        created_at: Set(app.now()),
    };
    signing_key::Entity::insert(row).exec_without_returning(db).await?;
    Ok(id)
}

/// The job that rotates the signing keys: it inserts the next key if there is none, makes a key of the first entry of
/// `PORTICO_SECRET` the current one, retires the keys before the current one, and deletes keys that were retired two
/// days ago.
#[derive(Default, Serialize, Deserialize)]
pub struct RotateSigningKeys {}

impl Job for RotateSigningKeys {
    const NAME: &'static str = "rotate_signing_keys";
    const LANE: Lane = Lane::Maintenance;

    async fn run(&self, app: &App) -> std::result::Result<(), JobError> {
        // A clock that is behind would take the current key for a later one, and insert and retire keys.
        if clock_is_behind(app).await? {
            warn_of_skipped_correction(Self::NAME);
            return Ok(());
        }
        let now = app.now();
        correct_future_keys(app, now).await?;
        let current = app.get::<SigningKeys>().current(app).await?;
        let next = signing_key::Entity::find().filter(Column::ActiveFrom.gt(now)).one(app.db()).await?;
        if next.is_none() {
            insert_key(app, app.db(), now + SIGNING_PERIOD).await?;
        }
        // The first entry of `PORTICO_SECRET` has changed. Its key must sign before the old entry is removed, so that
        // the removal makes no access token invalid.
        if current.entry != app.keys().newest().fingerprint() {
            let mut tx = app.begin().await?;
            promote_next(&mut tx).await?;
            tx.commit().await?;
        }
        // Wait until the current key is active on the clock of every process: a process that finds no active key
        // inserts a new one.
        if current.active_from <= now - MAX_CLOCK_SKEW {
            signing_key::Entity::update_many()
                .col_expr(Column::RetiredAt, Expr::value(now))
                .filter(Column::ActiveFrom.lt(current.active_from))
                .filter(Column::RetiredAt.is_null())
                .exec(app.db())
                .await?;
        }
        signing_key::Entity::delete_many()
            .filter(Column::RetiredAt.lt(now - PUBLISHED_AFTER_RETIREMENT))
            .exec(app.db())
            .await?;
        Ok(())
    }
}

/// Deletes the keys that would start to sign further ahead than the next key does, and dates the retirements of the
/// future to `now`: a process with a wrong clock has stored them. Such a key would be taken for the next key, and no
/// other would be made for as long as that clock was wrong.
async fn correct_future_keys(app: &App, now: Time) -> Result<()> {
    signing_key::Entity::delete_many()
        .filter(Column::ActiveFrom.gt(now + SIGNING_PERIOD + clock::MAX_CLOCK_ERROR))
        .exec(app.db())
        .await?;
    signing_key::Entity::update_many()
        .col_expr(Column::RetiredAt, Expr::value(now))
        .filter(Column::RetiredAt.gt(now + clock::MAX_CLOCK_ERROR))
        .exec(app.db())
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{platform::jobs::clock_check, testing};

    #[tokio::test]
    async fn clock_that_is_behind_changes_no_key() {
        for behind in clock_check::BEHIND {
            let app = testing::app().await;
            for days in [0, 30, 30] {
                app.clock().advance(TimeDelta::days(days));
                RotateSigningKeys {}.run(&app).await.unwrap();
            }
            clock_check::insert_history(&app).await;
            let rows = async || signing_key::Entity::find().all(app.db()).await.unwrap();
            let before = rows().await;
            assert!(before.len() >= 3, "next, current and previous");
            app.clock().advance(-behind);
            RotateSigningKeys {}.run(&app).await.unwrap();
            assert_eq!(rows().await, before, "{behind}");
        }
    }

    #[tokio::test]
    async fn keys_of_a_wrong_clock_do_not_stop_the_rotation() {
        for ahead in [TimeDelta::days(29), TimeDelta::days(45), TimeDelta::days(400)] {
            let app = testing::app().await;
            let rotate = || async { RotateSigningKeys {}.run(&app).await.unwrap() };
            let current = || async { app.get::<SigningKeys>().current(&app).await.unwrap().id };
            rotate().await;
            app.clock().advance(ahead);
            rotate().await;
            app.clock().advance(-ahead);
            let mut seen = std::collections::BTreeSet::new();
            for _ in 0..100 {
                rotate().await;
                seen.insert(current().await);
                assert!(jwks(&app).await.unwrap().len() <= 4, "{ahead}");
                app.clock().advance(TimeDelta::days(1));
            }
            assert!((3..=5).contains(&seen.len()), "a key signs for 30 days, {ahead}: {}", seen.len());
        }
    }

    #[tokio::test]
    async fn jwt_04_a_key_is_published_before_it_signs_and_after_it_retires() {
        let app = testing::app().await;
        let rotate = || async { RotateSigningKeys {}.run(&app).await.unwrap() };
        let kids = || async { jwks(&app).await.unwrap().into_iter().map(|key| key.kid).collect::<Vec<_>>() };
        let first = app.get::<SigningKeys>().current(&app).await.unwrap().id.to_string();
        rotate().await;
        let published = kids().await;
        assert_eq!(published.len(), 2, "current and next");
        app.clock().advance(SIGNING_PERIOD + TimeDelta::hours(1));
        let second = app.get::<SigningKeys>().current(&app).await.unwrap().id.to_string();
        assert!(second != first && published.contains(&second), "the next key was published before it signed");
        rotate().await;
        app.clock().advance(TimeDelta::minutes(2));
        assert_eq!(kids().await.len(), 3, "next, current and previous");
        app.clock().advance(PUBLISHED_AFTER_RETIREMENT);
        rotate().await;
        app.clock().advance(TimeDelta::minutes(2));
        assert!(!kids().await.contains(&first));
    }

    #[tokio::test]
    async fn jwt_04_a_verifier_with_an_hour_old_key_set_knows_every_signing_key() {
        let app = testing::app().await;
        // The key set that the verifier has cached, the key that signed at the previous step, and every key that has
        // signed.
        let mut cached = Vec::new();
        let mut previous = None;
        let mut all = std::collections::BTreeSet::new();
        // Two rotations in steps of half an hour. This test runs the job once a day and loads the key set once an
        // hour.
        for step in 0..(65 * 48) {
            if step % 48 == 0 {
                RotateSigningKeys {}.run(&app).await.unwrap();
            }
            let current = app.get::<SigningKeys>().current(&app).await.unwrap().id;
            if step > 0 {
                assert!(cached.contains(&current.to_string()), "step {step}");
            }
            if let Some(previous) = previous.replace(current) {
                assert!(app.get::<SigningKeys>().by_id(&app, previous).await.unwrap().is_some(), "step {step}");
            }
            if step % 2 == 0 {
                cached = jwks(&app).await.unwrap().into_iter().map(|key| key.kid).collect();
            }
            all.insert(current);
            app.clock().advance(TimeDelta::minutes(30));
        }
        assert_eq!(all.len(), 3);
    }
}
