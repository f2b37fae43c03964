//! Recovery codes: ten codes, each of which replaces a second factor once.
//!
//! A code has 80 random bits, fewer than the 112 from which on a plain hash would suffice (NIST SP 800-63B-4 §3.1.2.2).
//! So the database stores scrypt hashes. One salt for a set lets one hash check an attempt against all codes.

mod code;

use portico_entity::{
    RecoveryCodeId, RecoverySetId, UserId,
    recovery_code::{self, Column},
    recovery_set,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    sea_query::Expr,
};

use crate::platform::{
    app::App,
    error::{Error, Result},
    secret::PlainToken,
    tx::Tx,
};

/// The number of codes of a set.
const CODES: usize = 10;

/// The codes of a new set, with their hashes.
pub(crate) struct NewCodes {
    salt: String,
    codes: Vec<PlainToken>,
    hashes: Vec<String>,
}

impl NewCodes {
    /// Generates ten codes and hashes them, which takes about a tenth of a second. Call it before a transaction begins.
    ///
    /// # Errors
    /// `internal` if hashing fails.
    pub(crate) async fn generate(app: &App) -> Result<Self> {
        let salt = hex::encode(app.random().bytes::<16>());
        let codes: Vec<_> = (0..CODES).map(|_| code::encode(app.random().bytes())).collect();
        let hashes = code::hash_all(salt.clone(), codes.clone()).await?;
        Ok(Self { salt, codes, hashes })
    }

    /// Stores the codes for the user `user` in place of the former set. Returns the codes, in groups of four
    /// characters.
    ///
    /// The caller must have locked the user's row.
    ///
    /// # Errors
    /// `unavailable` or `internal` if the database fails.
    pub(crate) async fn store(self, tx: &Tx, user: UserId) -> Result<Vec<PlainToken>> {
        delete(tx, user).await?;
        let set = RecoverySetId(tx.app().new_id());
        let row = recovery_set::ActiveModel {
            id: Set(set),
            portal_user_id: Set(user.portal()),
            staff_user_id: Set(user.staff()),
            salt: Set(self.salt),
            created_at: Set(tx.app().now()),
        };
        recovery_set::Entity::insert(row).exec_without_returning(tx.db()).await?;
        let rows = self.hashes.into_iter().map(|hash| recovery_code::ActiveModel {
            id: Set(RecoveryCodeId(tx.app().new_id())),
            set_id: Set(set),
            code_hash: Set(hash),
            used_at: Set(None),
        });
        recovery_code::Entity::insert_many(rows.collect::<Vec<_>>()).exec_without_returning(tx.db()).await?;
        Ok(self.codes.iter().map(code::grouped).collect())
    }
}

/// Returns the unused code of the user that `text` is; `None` if there is none. Does the same work for a wrong code.
///
/// # Errors
/// `unavailable` or `internal` if the database or the hash fails.
pub(crate) async fn find(app: &App, user: UserId, text: &PlainToken) -> Result<Option<RecoveryCodeId>> {
    let Some(set) = set_of(app.db(), user).await? else { return Ok(None) };
    let Some(code) = code::normalize(text) else { return Ok(None) };
    let hash = code::hash_all(set.salt, vec![code]).await?.pop();
    let hash = hash.ok_or_else(|| Error::Internal("no hash of a recovery code".into()))?;
    let found = recovery_code::Entity::find()
        .filter(Column::SetId.eq(set.id))
        .filter(Column::CodeHash.eq(hash))
        .filter(Column::UsedAt.is_null())
        .one(app.db())
        .await?;
    Ok(found.map(|code| code.id))
}

/// Marks the code as used. Returns whether it was unused: of concurrent uses of one code, one succeeds.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn use_code(tx: &Tx, code: RecoveryCodeId) -> Result<bool> {
    let used = recovery_code::Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(tx.app().now()))
        .filter(Column::Id.eq(code))
        .filter(Column::UsedAt.is_null())
        .exec(tx.db())
        .await?;
    Ok(used.rows_affected == 1)
}

/// Returns how many codes of the user are unused; 0 if the user has no set.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn count_left(db: &impl ConnectionTrait, user: UserId) -> Result<u64> {
    let Some(set) = set_of(db, user).await? else { return Ok(0) };
    let unused = recovery_code::Entity::find().filter(Column::SetId.eq(set.id)).filter(Column::UsedAt.is_null());
    Ok(unused.count(db).await?)
}

/// Deletes the codes of the user.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn delete(tx: &Tx, user: UserId) -> Result<()> {
    // The foreign key deletes the codes.
    recovery_set::Entity::delete_many().filter(owned_by(user)).exec(tx.db()).await?;
    Ok(())
}

async fn set_of(db: &impl ConnectionTrait, user: UserId) -> Result<Option<recovery_set::Model>> {
    Ok(recovery_set::Entity::find().filter(owned_by(user)).one(db).await?)
}

fn owned_by(user: UserId) -> Condition {
    Condition::all().add(match user {
        UserId::Portal(id) => recovery_set::Column::PortalUserId.eq(id),
        UserId::Staff(id) => recovery_set::Column::StaffUserId.eq(id),
    })
}
