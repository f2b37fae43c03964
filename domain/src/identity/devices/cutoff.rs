//! The time before which no device of an address is known.

use portico_entity::device_cutoff::{ActiveModel, Column, Entity};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter,
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

/// Makes every device that has signed in with `email` until now unknown.
///
/// # Errors
/// `unavailable` or `internal` when the database fails.
pub(crate) async fn forget_devices(tx: &mut Tx, realm: Realm, email: &str) -> Result<()> {
    let now = tx.app().now();
    // One row for each entry of `PORTICO_SECRET`: the cut-off must outlive the removal of an entry, as the cookies that
    // another entry made do.
    let keys = tx.app().keys().clone();
    let rows = keys.all().map(|key| ActiveModel { address_hash: Set(hash(key, realm, email)), since: Set(now) });
    Entity::insert_many(rows)
        .on_conflict(OnConflict::column(Column::AddressHash).update_column(Column::Since).to_owned())
        .exec_without_returning(tx.db())
        .await?;
    Ok(())
}

/// Returns the time at which the devices of `email` were last forgotten. Runs the same query for unknown addresses.
pub(super) async fn of(app: &App, realm: Realm, email: &EmailAddress) -> Result<Option<Time>> {
    let hashes = app.keys().all().map(|key| hash(key, realm, email.as_str()));
    let rows = Entity::find().filter(Column::AddressHash.is_in(hashes)).all(app.db()).await?;
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
