//! Trusted devices: browsers in which a portal user is not asked for the second factor at sign-in.
//!
//! A cookie is no authenticator (NIST SP 800-63B-4 §3.2.1). So a trusted device skips the question at sign-in only: it
//! makes no session fresh. The user opts in, the tenant decides for how many days, and a sign-in does not prolong it.

mod manage;

use chrono::TimeDelta;
use portico_entity::{
    TrustedDeviceId, UserId, portal_user,
    trusted_device::{self, Column, Entity},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, sea_query::Expr};

use crate::platform::{
    actor::{RequestContext, User},
    clock::{MAX_CLOCK_ERROR, Time},
    error::Result,
    secret::PlainToken,
    tx::Tx,
};

pub(crate) use manage::count;
pub use manage::{list, remove, remove_all};

/// A browser that was just added, with the value of its cookie.
#[derive(Clone, Debug)]
pub struct NewTrustedDevice {
    /// The value of the cookie.
    pub secret: PlainToken,
    /// How long the device is trusted.
    pub ttl: TimeDelta,
}

/// Adds the browser of the request to the trusted devices of `user` for `days`. Does nothing and returns `None` if
/// `days` is 0, or for a staff user.
///
/// The caller must have locked the user's row, and `user` must be the row as it is now.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn add(tx: &Tx, user: &User, context: &RequestContext, days: u16) -> Result<Option<NewTrustedDevice>> {
    let UserId::Portal(id) = user.id() else { return Ok(None) };
    if days == 0 {
        return Ok(None);
    }
    let (now, ttl) = (tx.app().now(), TimeDelta::days(days.into()));
    let secret = PlainToken::from_bytes(&tx.app().random().bytes());
    let row = trusted_device::ActiveModel {
        id: Set(TrustedDeviceId(tx.app().new_id())),
        portal_user_id: Set(id),
        secret_hash: Set(secret.hashed().0),
        user_agent: Set(context.user_agent.clone()),
        ip: Set(context.ip.map(|ip| ip.to_string())),
        credential_version: Set(user.versions().credential),
        factors_version: Set(user.versions().factors),
        created_at: Set(now),
        last_used_at: Set(now),
        expires_at: Set(now + ttl),
    };
    Entity::insert(row).exec_without_returning(tx.db()).await?;
    Ok(Some(NewTrustedDevice { secret, ttl }))
}

/// Returns whether the request comes from a trusted device of `user`, and records its use. `days` is the number of days
/// that the tenant allows now; a device that was added earlier is not trusted.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn is_trusted(
    tx: &Tx,
    user: &portal_user::Model,
    context: &RequestContext,
    days: u16,
) -> Result<bool> {
    if days == 0 || context.trusted_devices.is_empty() {
        return Ok(false);
    }
    let now = tx.app().now();
    let hashes = context.trusted_devices.iter().map(|secret| secret.hashed().0);
    let used = Entity::update_many()
        .col_expr(Column::LastUsedAt, Expr::value(now))
        .filter(Column::SecretHash.is_in(hashes))
        .filter(live(user, now))
        .filter(Column::CreatedAt.gt(now - TimeDelta::days(days.into())))
        .exec(tx.db())
        .await?;
    Ok(used.rows_affected > 0)
}

/// Deletes all trusted devices of the user.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn forget(tx: &Tx, user: UserId) -> Result<u64> {
    let UserId::Portal(id) = user else { return Ok(0) };
    Ok(Entity::delete_many().filter(Column::PortalUserId.eq(id)).exec(tx.db()).await?.rows_affected)
}

/// Matches the devices of the user that are trusted now. A device of other versions of the user is not trusted any
/// more, and one that was added far in the future was stored by a process with a wrong clock.
fn live(user: &portal_user::Model, now: Time) -> Condition {
    Condition::all()
        .add(Column::PortalUserId.eq(user.id))
        .add(Column::CredentialVersion.eq(user.credential_version))
        .add(Column::FactorsVersion.eq(user.factors_version))
        .add(Column::ExpiresAt.gt(now))
        .add(Column::CreatedAt.lte(now + MAX_CLOCK_ERROR))
}
