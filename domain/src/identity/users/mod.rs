//! The rows of users of both realms: loading, locking, and the state of their second factors.

use portico_entity::{UserId, portal_user, staff_user};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};

use crate::platform::{
    actor::{User, Versions},
    clock::Time,
    error::Result,
    tx::Tx,
};

/// Returns the user `id`, also if they are disabled; `None` if the user does not exist.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn find(db: &impl ConnectionTrait, id: UserId) -> Result<Option<User>> {
    Ok(match id {
        UserId::Portal(id) => portal_user::Entity::find_by_id(id).one(db).await?.map(User::Portal),
        UserId::Staff(id) => staff_user::Entity::find_by_id(id).one(db).await?.map(User::Staff),
    })
}

/// Locks the row of the user `id` until the transaction ends, and returns it as it is now; `None` if the user does not
/// exist.
///
/// A transaction that opens a session or changes a factor calls this first. So two such transactions of one user wait
/// for each other here, and cannot deadlock on the rows that follow.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn lock(tx: &Tx, id: UserId) -> Result<Option<User>> {
    // An update that keeps the value locks the row on Postgres and on SQLite.
    Ok(match id {
        UserId::Portal(id) => {
            use portal_user::{Column, Entity};
            let update = Entity::update_many().col_expr(Column::FactorsVersion, Expr::col(Column::FactorsVersion));
            let locked = update.filter(Column::Id.eq(id)).exec_with_returning(tx.db()).await?;
            locked.into_iter().next().map(User::Portal)
        }
        UserId::Staff(id) => {
            use staff_user::{Column, Entity};
            let update = Entity::update_many().col_expr(Column::FactorsVersion, Expr::col(Column::FactorsVersion));
            let locked = update.filter(Column::Id.eq(id)).exec_with_returning(tx.db()).await?;
            locked.into_iter().next().map(User::Staff)
        }
    })
}

/// Locks the row of the user `id` as [`lock`] does. Returns `None` if the user is disabled, or has other versions than
/// `versions`: then what was proved with these versions proves nothing any more.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn lock_unchanged(tx: &Tx, id: UserId, versions: Versions) -> Result<Option<User>> {
    let locked = lock(tx, id).await?;
    Ok(locked.filter(|user| user.is_enabled() && user.versions() == versions))
}

/// Turns second factors on at the time `enabled_at`, or off if it is `None`. Raises the factors version.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn set_mfa_enabled_at(tx: &Tx, id: UserId, enabled_at: Option<Time>) -> Result<()> {
    match id {
        UserId::Portal(id) => {
            use portal_user::{Column, Entity};
            let update = Entity::update_many().col_expr(Column::MfaEnabledAt, Expr::value(enabled_at));
            update.filter(Column::Id.eq(id)).exec(tx.db()).await?;
        }
        UserId::Staff(id) => {
            use staff_user::{Column, Entity};
            let update = Entity::update_many().col_expr(Column::MfaEnabledAt, Expr::value(enabled_at));
            update.filter(Column::Id.eq(id)).exec(tx.db()).await?;
        }
    }
    raise_factors_version(tx, id).await
}

/// Raises the factors version of the user `id` by one. So challenges, setups and trusted devices that exist become
/// invalid.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn raise_factors_version(tx: &Tx, id: UserId) -> Result<()> {
    match id {
        UserId::Portal(id) => {
            use portal_user::{Column, Entity};
            let raised = Expr::col(Column::FactorsVersion).add(1);
            let update = Entity::update_many().col_expr(Column::FactorsVersion, raised);
            update.filter(Column::Id.eq(id)).exec(tx.db()).await?;
        }
        UserId::Staff(id) => {
            use staff_user::{Column, Entity};
            let raised = Expr::col(Column::FactorsVersion).add(1);
            let update = Entity::update_many().col_expr(Column::FactorsVersion, raised);
            update.filter(Column::Id.eq(id)).exec(tx.db()).await?;
        }
    }
    Ok(())
}
