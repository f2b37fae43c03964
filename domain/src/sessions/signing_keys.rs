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

use super::access_token::Seen;

/// How long a key signs.
const SIGNS_FOR: TimeDelta = TimeDelta::days(30);
/// How long a retired key stays published: longer than any token it signed.
const PUBLISHED_AFTER: TimeDelta = TimeDelta::days(2);
/// Far more than the clocks of two processes do.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(2);
/// How old this process's view of the keys may be.
const FRESH: TimeDelta = TimeDelta::minutes(1);
/// How soon an unknown key id makes it look again; so that bad tokens do not become queries.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(5);

/// How many tokens are remembered whose signatures were right; a signature takes longer than all else that a request needs
/// outside of the database.
const REMEMBERED: NonZero<usize> = NonZero::new(4_096).unwrap();

/// This process's view of the keys, and of what was signed with them.
pub struct SigningKeys {
    view: RwLock<Option<View>>,
    /// By the hashes of the tokens, so that none lies in memory.
    seen: Mutex<LruCache<[u8; 32], Seen>>,
}

impl Default for SigningKeys {
    fn default() -> Self {
        Self { view: RwLock::default(), seen: Mutex::new(LruCache::new(REMEMBERED)) }
    }
}

#[derive(Clone)]
struct View {
    loaded_at: Time,
    /// Newest first; the next one too.
    keys: Arc<[Arc<Loaded>]>,
}

pub(super) struct Loaded {
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
    let view = app.signing_keys().view(app, FRESH).await?;
    let jwk =
        |key: &Arc<Loaded>| Jwk { kid: key.id.to_string(), x: BASE64_URL_SAFE_NO_PAD.encode(key.public.as_bytes()) };
    Ok(view.keys.iter().map(jwk).collect())
}

impl SigningKeys {
    /// The key that signs now.
    pub(super) async fn current(&self, app: &App) -> Result<Arc<Loaded>> {
        let view = self.view(app, FRESH).await?;
        let current = view.keys.iter().find(|key| key.active_from <= app.now() && !key.retired);
        current.cloned().ok_or_else(|| Error::Internal("no signing key is active".into()))
    }

    /// What this token says, if its signature was found right before. Whether it still counts is another question.
    pub(super) fn seen(&self, token: &PlainToken) -> Option<Seen> {
        self.remembered().get(&hash(token)).cloned()
    }

    /// Remembers that the signature of this token is right.
    pub(super) fn saw(&self, token: &PlainToken, seen: Seen) {
        self.remembered().put(hash(token), seen);
    }

    fn remembered(&self) -> MutexGuard<'_, LruCache<[u8; 32], Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of that id, if it is published.
    pub(super) async fn by_id(&self, app: &App, id: SigningKeyId) -> Result<Option<Arc<Loaded>>> {
        for age in [FRESH, LOOK_AGAIN] {
            let view = self.view(app, age).await?;
            if let Some(key) = view.keys.iter().find(|key| key.id == id) {
                return Ok(Some(key.clone()));
            }
        }
        Ok(None)
    }

    async fn view(&self, app: &App, age: TimeDelta) -> Result<View> {
        let is_fresh = |view: &View| (app.now() - view.loaded_at).abs() < age;
        if let Some(view) = self.view.read().await.as_ref().filter(|view| is_fresh(view)) {
            return Ok(view.clone());
        }
        let mut slot = self.view.write().await;
        if let Some(view) = slot.as_ref().filter(|view| is_fresh(view)) {
            return Ok(view.clone());
        }
        let mut view = load(app).await?;
        if !view.keys.iter().any(|key| key.active_from <= app.now() && !key.retired) {
            // The first start, or an entry of the server key was taken away together with the keys it made.
            insert(app, app.now()).await?;
            insert(app, app.now() + SIGNS_FOR).await?;
            view = load(app).await?;
        }
        Ok(slot.insert(view).clone())
    }
}

fn hash(token: &PlainToken) -> [u8; 32] {
    Sha256::digest(token.reveal()).into()
}

async fn load(app: &App) -> Result<View> {
    let rows =
        signing_key::Entity::find().order_by_desc(Column::ActiveFrom).order_by_desc(Column::Id).all(app.db()).await?;
    let usable = rows.into_iter().filter_map(|row| {
        let seed = app.keys().by_fingerprint(&row.key_fingerprint)?.mac(KeyUse::Signing, &[row.id.0.as_bytes()]);
        let secret = SigningKey::from_bytes(&seed);
        let (id, active_from, retired) = (row.id, row.active_from, row.retired_at.is_some());
        Some(Arc::new(Loaded { id, public: secret.verifying_key(), secret, active_from, retired }))
    });
    Ok(View { loaded_at: app.now(), keys: usable.collect() })
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
    const LANE: Lane = Lane::Upkeep;

    async fn run(&self, app: &App) -> std::result::Result<(), JobError> {
        let now = app.now();
        let current = app.signing_keys().current(app).await?;
        let next = signing_key::Entity::find().filter(Column::ActiveFrom.gt(now)).one(app.db()).await?;
        if next.is_none() {
            insert(app, now + SIGNS_FOR).await?;
        }
        // Not before every process's clock says that the current one is: a process that saw no active key would make one.
        if current.active_from <= now - CLOCKS_DIFFER {
            signing_key::Entity::update_many()
                .col_expr(Column::RetiredAt, Expr::value(now))
                .filter(Column::ActiveFrom.lt(current.active_from))
                .filter(Column::RetiredAt.is_null())
                .exec(app.db())
                .await?;
        }
        signing_key::Entity::delete_many().filter(Column::RetiredAt.lt(now - PUBLISHED_AFTER)).exec(app.db()).await?;
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
        app.clock().advance(SIGNS_FOR + TimeDelta::hours(1));
        let second = app.signing_keys().current(&app).await.unwrap().id.to_string();
        assert!(second != first && published.contains(&second), "the next one was published all along");
        rotate().await;
        app.clock().advance(TimeDelta::minutes(2));
        assert_eq!(kids().await.len(), 3, "next, current and previous");
        app.clock().advance(PUBLISHED_AFTER);
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
