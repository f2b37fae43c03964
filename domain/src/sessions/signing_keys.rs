//! The keys that sign access tokens, their rotation, and the set that others verify with.
//!
//! There are always a next, a current and, for a while, a previous key, all published: a verifier that caches the set
//! never meets a key it has not seen. The private half is derived from the server key and the row's id.

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
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::Expr};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::RwLock;

use crate::{
    app::App,
    clock::Time,
    error::{Error, Result},
    jobs::{Job, JobError},
    keys::KeyUse,
    secret::PlainToken,
};

use super::access_token::VerifiedToken;

/// How long a key signs.
const SIGNING_PERIOD: TimeDelta = TimeDelta::days(30);
/// How long a retired key stays published: longer than any token it signed.
const PUBLISHED_AFTER_RETIREMENT: TimeDelta = TimeDelta::days(2);
/// Far more than the clocks of two processes do.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::minutes(2);
/// How old this process's view of the keys may be.
const CACHE_TTL: TimeDelta = TimeDelta::minutes(1);
/// How soon an unknown key id makes it look again; so that bad tokens do not become queries.
const RELOAD_INTERVAL: TimeDelta = TimeDelta::seconds(5);

/// How many tokens are remembered whose signatures were right; a signature takes longer than all else that a request needs
/// outside of the database.
const MAX_REMEMBERED_TOKENS: NonZero<usize> = NonZero::new(4_096).unwrap();

/// This process's view of the keys, and of what was signed with them.
pub struct SigningKeys {
    cache: RwLock<Option<KeyCache>>,
    /// By the hashes of the tokens, so that none lies in memory.
    verified: Mutex<LruCache<[u8; 32], VerifiedToken>>,
}

impl Default for SigningKeys {
    fn default() -> Self {
        Self { cache: RwLock::default(), verified: Mutex::new(LruCache::new(MAX_REMEMBERED_TOKENS)) }
    }
}

#[derive(Clone)]
struct KeyCache {
    loaded_at: Time,
    /// Newest first; the next one too.
    keys: Arc<[Arc<LoadedKey>]>,
}

pub(super) struct LoadedKey {
    pub(super) id: SigningKeyId,
    pub(super) secret: SigningKey,
    pub(super) public: VerifyingKey,
    active_from: Time,
    retired: bool,
}

/// A public key as a JSON Web Key (RFC 8037 §2).
#[derive(Clone, Debug)]
pub struct Jwk {
    /// The key's id.
    pub kid: String,
    /// The public key, base64url.
    pub x: String,
}

/// The public keys that verify access tokens: next, current and previous.
///
/// # Errors
/// When the database fails.
pub async fn jwks(app: &App) -> Result<Vec<Jwk>> {
    let cache = app.signing_keys().cache(app, CACHE_TTL).await?;
    let jwk =
        |key: &Arc<LoadedKey>| Jwk { kid: key.id.to_string(), x: BASE64_URL_SAFE_NO_PAD.encode(key.public.as_bytes()) };
    Ok(cache.keys.iter().map(jwk).collect())
}

impl SigningKeys {
    /// The key that signs now.
    pub(super) async fn current(&self, app: &App) -> Result<Arc<LoadedKey>> {
        let cache = self.cache(app, CACHE_TTL).await?;
        let current = cache.keys.iter().find(|key| key.active_from <= app.now() && !key.retired);
        current.cloned().ok_or_else(|| Error::Internal("no signing key is active".into()))
    }

    /// What this token says, if its signature was found right before. Whether it still counts is another question.
    pub(super) fn recall(&self, token: &PlainToken) -> Option<VerifiedToken> {
        self.verified_tokens().get(&hash(token)).cloned()
    }

    /// Remembers that the signature of this token is right.
    pub(super) fn remember(&self, token: &PlainToken, seen: VerifiedToken) {
        self.verified_tokens().put(hash(token), seen);
    }

    fn verified_tokens(&self) -> MutexGuard<'_, LruCache<[u8; 32], VerifiedToken>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of that id, if it is published.
    pub(super) async fn by_id(&self, app: &App, id: SigningKeyId) -> Result<Option<Arc<LoadedKey>>> {
        for age in [CACHE_TTL, RELOAD_INTERVAL] {
            let cache = self.cache(app, age).await?;
            if let Some(key) = cache.keys.iter().find(|key| key.id == id) {
                return Ok(Some(key.clone()));
            }
        }
        Ok(None)
    }

    async fn cache(&self, app: &App, age: TimeDelta) -> Result<KeyCache> {
        let is_fresh = |cache: &KeyCache| (app.now() - cache.loaded_at).abs() < age;
        if let Some(cache) = self.cache.read().await.as_ref().filter(|cache| is_fresh(cache)) {
            return Ok(cache.clone());
        }
        let mut slot = self.cache.write().await;
        if let Some(cache) = slot.as_ref().filter(|cache| is_fresh(cache)) {
            return Ok(cache.clone());
        }
        let mut cache = load(app).await?;
        if !cache.keys.iter().any(|key| key.active_from <= app.now() && !key.retired) {
            // The first start, or an entry of the server key was taken away together with the keys it made.
            insert(app, app.now()).await?;
            insert(app, app.now() + SIGNING_PERIOD).await?;
            cache = load(app).await?;
        }
        Ok(slot.insert(cache).clone())
    }
}

fn hash(token: &PlainToken) -> [u8; 32] {
    Sha256::digest(token.reveal()).into()
}

async fn load(app: &App) -> Result<KeyCache> {
    let rows =
        signing_key::Entity::find().order_by_desc(Column::ActiveFrom).order_by_desc(Column::Id).all(app.db()).await?;
    let usable = rows.into_iter().filter_map(|row| {
        let seed = app.keys().by_fingerprint(&row.key_fingerprint)?.mac(KeyUse::Signing, &[row.id.0.as_bytes()]);
        let secret = SigningKey::from_bytes(&seed);
        let (id, active_from, retired) = (row.id, row.active_from, row.retired_at.is_some());
        Some(Arc::new(LoadedKey { id, public: secret.verifying_key(), secret, active_from, retired }))
    });
    Ok(KeyCache { loaded_at: app.now(), keys: usable.collect() })
}

async fn insert(app: &App, active_from: Time) -> Result<()> {
    let row = signing_key::ActiveModel {
        id: Set(SigningKeyId(app.new_id())),
        key_fingerprint: Set(app.keys().newest().fingerprint().into()),
        active_from: Set(active_from),
        retired_at: Set(None),
        created_at: Set(app.now()),
    };
    signing_key::Entity::insert(row).exec_without_returning(app.db()).await?;
    Ok(())
}

/// Keeps the rotation going: makes the next key, retires the one before the current, deletes what nobody needs.
#[derive(Serialize, Deserialize)]
pub struct RotateSigningKeys {}

impl Job for RotateSigningKeys {
    const NAME: &'static str = "rotate_signing_keys";
    const LANE: Lane = Lane::Maintenance;

    async fn run(&self, app: &App) -> std::result::Result<(), JobError> {
        let now = app.now();
        let current = app.signing_keys().current(app).await?;
        let next = signing_key::Entity::find().filter(Column::ActiveFrom.gt(now)).one(app.db()).await?;
        if next.is_none() {
            insert(app, now + SIGNING_PERIOD).await?;
        }
        // Not before every process's clock says that the current one is: a process that saw no active key would make one.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn jwt_04_a_key_is_published_long_before_it_signs_and_after() {
        let app = testing::app().await;
        let rotate = || async { RotateSigningKeys {}.run(&app).await.unwrap() };
        let kids = || async { jwks(&app).await.unwrap().into_iter().map(|key| key.kid).collect::<Vec<_>>() };
        let first = app.signing_keys().current(&app).await.unwrap().id.to_string();
        rotate().await;
        let published = kids().await;
        assert_eq!(published.len(), 2, "current and next");
        app.clock().advance(SIGNING_PERIOD + TimeDelta::hours(1));
        let second = app.signing_keys().current(&app).await.unwrap().id.to_string();
        assert!(second != first && published.contains(&second), "the next one was published all along");
        rotate().await;
        app.clock().advance(TimeDelta::minutes(2));
        assert_eq!(kids().await.len(), 3, "next, current and previous");
        app.clock().advance(PUBLISHED_AFTER_RETIREMENT);
        rotate().await;
        app.clock().advance(TimeDelta::minutes(2));
        assert!(!kids().await.contains(&first));
    }

    #[tokio::test]
    async fn jwt_04_a_verifier_that_keeps_the_keys_for_an_hour_never_meets_one_it_lacks() {
        let app = testing::app().await;
        // What a verifier has, that asked when the last copy's `max-age` was over; and the key of a token of an age ago.
        let mut kept = Vec::new();
        let mut last = None;
        let mut seen = std::collections::BTreeSet::new();
        // Two rotations by steps of half an hour: the job runs once a day or so, the copies are an hour old at most.
        for step in 0..(65 * 48) {
            if step % 48 == 0 {
                RotateSigningKeys {}.run(&app).await.unwrap();
            }
            let signs = app.signing_keys().current(&app).await.unwrap().id;
            if step > 0 {
                assert!(kept.contains(&signs.to_string()), "step {step}");
            }
            if let Some(last) = last.replace(signs) {
                assert!(app.signing_keys().by_id(&app, last).await.unwrap().is_some(), "step {step}");
            }
            if step % 2 == 0 {
                kept = jwks(&app).await.unwrap().into_iter().map(|key| key.kid).collect();
            }
            seen.insert(signs);
            app.clock().advance(TimeDelta::minutes(30));
        }
        assert_eq!(seen.len(), 3);
    }
}
