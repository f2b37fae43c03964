//! The time before which no device of an address is known.

use portico_entity::{
    device_cutoff::{ActiveModel, Column, Entity},
    portal_user, session,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, OnConflict},
};

use crate::platform::{
    actor::Realm,
    app::App,
    clock::{MAX_CLOCK_ERROR, Time},
    email_address::EmailAddress,
    error::Result,
    keys::{Key, KeyUse},
    tx::Tx,
};

/// Makes every device from which `user` has signed in until now unknown.
///
/// The caller must have locked the user's row in this transaction. A sign-in locks it too, so each one has either
/// committed, and its session is counted here, or it comes later.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn forget_devices(tx: &mut Tx, user: &portal_user::Model) -> Result<()> {
    let now = tx.app().now();
    let since = last_sign_in(tx, user).await?.map_or(now, |last| last.max(now));
    // One row for each entry of `PORTICO_SECRET`: the cut-off must outlive the removal of an entry, as the cookies that
    // another entry made do.
    let keys = tx.app().keys().clone();
    let hash = |key| hash(key, Realm::Portal, &user.email);
    let rows = keys.all().map(|key| ActiveModel { address_hash: Set(hash(key)), since: Set(since) });
    Entity::insert_many(rows)
        .on_conflict(OnConflict::column(Column::AddressHash).update_column(Column::Since).to_owned())
        .exec_without_returning(tx.db())
        .await?;
    Ok(())
}

/// Returns when the newest session of `user` was opened, which may be a little later than now: the clocks of two
/// processes differ. Leaves out sessions of a wrong clock, whose devices are not known.
async fn last_sign_in(tx: &Tx, user: &portal_user::Model) -> Result<Option<Time>> {
    let newest = session::Entity::find()
        .select_only()
        .column_as(session::Column::CreatedAt.max(), "newest")
        .filter(session::Column::PortalUserId.eq(user.id))
        .filter(session::Column::CreatedAt.lte(tx.app().now() + MAX_CLOCK_ERROR))
        .into_tuple::<Option<Time>>()
        .one(tx.db())
        .await?;
    Ok(newest.flatten())
}

/// Returns the time at which the devices of `email` were last forgotten. Runs the same query for unknown addresses.
pub(super) async fn of(
    app: &App,
    db: &impl ConnectionTrait,
    realm: Realm,
    email: &EmailAddress,
) -> Result<Option<Time>> {
    let hashes = app.keys().all().map(|key| hash(key, realm, email.as_str()));
    let rows = Entity::find().filter(Column::AddressHash.is_in(hashes)).all(db).await?;
    Ok(rows.into_iter().map(|row| row.since).max())
}

/// Dates cut-offs of the future to `now`, and returns their number. A process with a wrong clock has stored them, and
/// they would keep devices unknown until that time.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn correct_times(app: &App, now: Time) -> Result<u64> {
    let corrected = Entity::update_many()
        .col_expr(Column::Since, Expr::value(now))
        .filter(Column::Since.gt(now + MAX_CLOCK_ERROR))
        .exec(app.db())
        .await?;
    Ok(corrected.rows_affected)
}

/// Returns the keyed hash of an address in a realm.
fn hash(key: &Key, realm: Realm, email: &str) -> String {
    let realm: &[u8] = match realm {
        Realm::Portal => b"portal",
        Realm::Staff => b"staff",
    };
    hex::encode(key.mac(KeyUse::DeviceCutoff, &[realm, email.as_bytes()]))
}
