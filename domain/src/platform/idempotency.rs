//! Requests that are done once, however often they are sent: those with an `Idempotency-Key`.
//!
//! The answer is written in the transaction of the use case. So a key exists exactly if the request was done, and a
//! second request with the key that comes at the same time waits for the first.

use std::str::FromStr;

use chrono::TimeDelta;
use portico_entity::{
    ClientId,
    idempotency_key::{self, Column, Entity},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};
use sha2::{Digest, Sha256};

use super::{
    error::{Error, FieldProblem, Result},
    tx::Tx,
};

/// How long an answer is kept.
const RETENTION: TimeDelta = TimeDelta::hours(24);

/// The value of a header `Idempotency-Key`: 1 to 255 visible ASCII characters.
///
/// Parsing fails with the code `idempotency_key_invalid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl FromStr for IdempotencyKey {
    type Err = FieldProblem;

    fn from_str(typed: &str) -> std::result::Result<Self, FieldProblem> {
        let is_good = (1..=255).contains(&typed.len()) && typed.bytes().all(|byte| byte.is_ascii_graphic());
        let problem = || FieldProblem::new("idempotency_key_invalid", "must have 1 to 255 visible ASCII characters");
        if is_good { Ok(Self(typed.into())) } else { Err(problem()) }
    }
}

/// A request with a key.
#[derive(Clone, Debug)]
pub struct IdempotentRequest {
    key: IdempotencyKey,
    /// The SHA-256 of the body in hexadecimal.
    body_hash: String,
}

impl IdempotentRequest {
    /// Returns the request with this key and this body.
    pub fn new(key: IdempotencyKey, body: &[u8]) -> Self {
        Self { key, body_hash: hex::encode(Sha256::digest(body)) }
    }

    /// Takes the key of the request for the rest of this transaction. Call this first in the transaction.
    ///
    /// Returns the answer of the same request, if `actor` has sent it about `client` within the last 24 hours. Waits
    /// for a transaction that has taken the key. `None` means that the request is new: the caller does it, calls
    /// [`store`](Self::store) and commits.
    ///
    /// # Errors
    /// - `idempotency_mismatch`: the key was used with another body.
    /// - `unavailable` or `internal`: the database failed.
    pub(crate) async fn begin(&self, tx: &Tx, actor: &str, client: ClientId) -> Result<Option<String>> {
        let now = tx.app().now();
        let expired = self.row(actor, client).add(Column::ExpiresAt.lte(now));
        Entity::delete_many().filter(expired).exec(tx.db()).await?;
        let row = idempotency_key::ActiveModel {
            actor: Set(actor.into()),
            client_id: Set(client),
            key: Set(self.key.0.clone()),
            request_hash: Set(self.body_hash.clone()),
            response: Set(None),
            created_at: Set(now),
            expires_at: Set(now + RETENTION),
        };
        let inserted = Entity::insert(row)
            .on_conflict(OnConflict::columns([Column::Actor, Column::ClientId, Column::Key]).do_nothing().to_owned())
            .exec_without_returning(tx.db())
            .await?;
        if inserted > 0 {
            return Ok(None);
        }
        let found = Entity::find().filter(self.row(actor, client)).one(tx.db()).await?;
        // The row expired, or another process deleted it, since the INSERT found it.
        let found = found.ok_or_else(|| Error::Aborted("the row of an idempotency key was deleted".into()))?;
        if found.request_hash != self.body_hash {
            return Err(Error::Conflict("idempotency_mismatch"));
        }
        let missing = || Error::Internal("a committed idempotency key has no answer".into());
        found.response.map(Some).ok_or_else(missing)
    }

    /// Stores the answer of the request.
    ///
    /// # Errors
    /// `unavailable` or `internal`: the database failed.
    pub(crate) async fn store(&self, tx: &Tx, actor: &str, client: ClientId, response: String) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::Response, Expr::value(response))
            .filter(self.row(actor, client))
            .exec(tx.db())
            .await?;
        Ok(())
    }

    /// A condition for the row of the key.
    fn row(&self, actor: &str, client: ClientId) -> Condition {
        let key = Condition::all().add(Column::Actor.eq(actor)).add(Column::ClientId.eq(client));
        key.add(Column::Key.eq(&self.key.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn request_is_done_once_within_a_day_for_each_actor_and_client() {
        let app = testing::app().await;
        let client = app.insert_client().await.id;
        let request = |body: &str| IdempotentRequest::new("key-1".parse().unwrap(), body.as_bytes());
        let send = async |actor: &str, body: &str, answer: &str| {
            let tx = app.begin().await.unwrap();
            let stored = request(body).begin(&tx, actor, client).await.map_err(|error| error.code())?;
            if stored.is_none() {
                request(body).store(&tx, actor, client, answer.into()).await.unwrap();
                tx.commit().await.unwrap();
            }
            Ok::<_, &str>(stored)
        };
        assert_eq!(send("ann", "a", "first").await, Ok(None));
        assert_eq!(send("ann", "a", "second").await, Ok(Some("first".into())));
        assert_eq!(send("ann", "b", "second").await, Err("idempotency_mismatch"));
        assert_eq!(send("bob", "b", "of bob").await, Ok(None));
        app.clock().advance(RETENTION);
        assert_eq!(send("ann", "b", "third").await, Ok(None));
        assert_eq!(send("ann", "b", "fourth").await, Ok(Some("third".into())));
    }

    #[test]
    fn key_is_visible_ascii() {
        assert!("a".parse::<IdempotencyKey>().is_ok() && "~!".repeat(127).parse::<IdempotencyKey>().is_ok());
        for wrong in ["", " ", "a b", "ä", "a\n", "a\u{7f}", &"a".repeat(256)] {
            assert_eq!(wrong.parse::<IdempotencyKey>().unwrap_err().code, "idempotency_key_invalid", "{wrong:?}");
        }
    }
}
