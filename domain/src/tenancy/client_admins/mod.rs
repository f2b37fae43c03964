//! The administrators of a client: who is one, and the notice that tells the others of a new one.
//!
//! A transaction that changes who is an administrator locks the client (`lock_client`). A transaction that needs an
//! administrator to stay one until it commits locks the client for sharing (`require`). So a transaction of the one
//! kind waits for those of the other kind, and then sees what they have written.

mod announce;
pub(crate) mod new_admin_email;

pub(crate) use announce::announce;

use portico_entity::{
    ClientId, PortalUserId, client,
    membership::{self, Column, Role, Status},
    portal_user,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, Select, sea_query::LockType,
};

use crate::platform::{
    error::{Error, Result},
    tx::Tx,
};

/// Returns whether the membership makes its portal user an administrator who can act for the client.
pub(crate) fn is_admin(membership: &membership::Model) -> bool {
    membership.role == Role::Admin && membership.status == Status::Active
}

/// Returns whether `user` is an active administrator of `client`.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn is_admin_of(db: &impl ConnectionTrait, client: ClientId, user: PortalUserId) -> Result<bool> {
    Ok(admins_of(client).filter(Column::PortalUserId.eq(user)).count(db).await? > 0)
}

/// Locks the row of the client until the transaction ends, and returns it. Waits for the transactions that have locked
/// it for sharing.
///
/// The rows of portal users are locked before those of clients.
///
/// # Errors
/// - `not_found`: the client does not exist.
/// - `unavailable` or `internal`: the database failed.
pub(crate) async fn lock_client(tx: &mut Tx, id: ClientId) -> Result<client::Model> {
    // Transactions that only refer to the client, such as those that invite people, do not wait for this lock.
    lock(tx, id, LockType::NoKeyUpdate).await
}

/// Checks that `user` is an active administrator of `client`, and lets no other transaction change that until this one
/// ends.
///
/// # Errors
/// - `client_suspended`: the client is archived.
/// - `forbidden`: the user is not an active administrator of the client.
/// - `unavailable` or `internal`: the database failed.
pub(crate) async fn require(tx: &mut Tx, client: ClientId, user: PortalUserId) -> Result<()> {
    let client = lock(tx, client, LockType::Share).await?;
    // A statement of its own: one that had waited for the lock would not see what the other transaction has written.
    require_locked(tx, &client, user).await
}

/// Checks as [`require`] does. The transaction has already locked the client.
///
/// # Errors
/// The errors of [`require`].
pub(crate) async fn require_locked(tx: &mut Tx, client: &client::Model, user: PortalUserId) -> Result<()> {
    if client.status == client::Status::Archived {
        return Err(Error::Forbidden("client_suspended"));
    }
    if is_admin_of(tx.db(), client.id, user).await? { Ok(()) } else { Err(Error::FORBIDDEN) }
}

/// Checks that the client has an active administrator other than `user`. The transaction has locked the client.
///
/// # Errors
/// - `last_admin`: it has none.
/// - `unavailable` or `internal`: the database failed.
pub(crate) async fn require_another(tx: &mut Tx, client: &client::Model, user: PortalUserId) -> Result<()> {
    let others = admins_of(client.id).filter(Column::PortalUserId.ne(user)).count(tx.db()).await?;
    if others > 0 { Ok(()) } else { Err(Error::LAST_ADMIN) }
}

/// A query for the memberships of the active administrators of `client`, with their portal users.
fn admins_of(client: ClientId) -> Select<membership::Entity> {
    membership::Entity::find()
        .inner_join(portal_user::Entity)
        .filter(Column::ClientId.eq(client))
        .filter(Column::Role.eq(Role::Admin))
        .filter(Column::Status.eq(Status::Active))
        .filter(portal_user::Column::DisabledAt.is_null())
}

/// Locks and returns the row of the client. SQLite ignores the lock, because it has one writing transaction at a time.
async fn lock(tx: &mut Tx, id: ClientId, lock: LockType) -> Result<client::Model> {
    client::Entity::find_by_id(id).lock(lock).one(tx.db()).await?.ok_or(Error::NOT_FOUND)
}
