//! Sealing stored secrets again by the first entry of `PORTICO_SECRET`, so that an older entry can be removed.

use portico_entity::background_job::Lane;
use sea_orm::{
    ConnectionTrait, FromQueryResult,
    sea_query::{Alias, Expr, ExprTrait, Func, Query},
};
use serde::{Deserialize, Serialize};
use tracing::info;
use uuid::Uuid;

use super::{Sealed, SealedRow, open, seal};
use crate::platform::{
    app::App,
    database_check::DatabaseError,
    error::Result,
    job::{Job, JobError},
    transient_db_error::TransientDbError,
};

/// The number of rows that are read at a time.
const BATCH: u64 = 500;

/// The tables with sealed secrets. Each has the columns `id`, `sealed` and `key_fingerprint`.
#[derive(Clone, Copy, Debug)]
pub struct SealedTables(pub &'static [&'static str]);

/// A row with a sealed secret.
#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    sealed: String,
    key_fingerprint: String,
}

/// Seals every secret again that an older entry of `PORTICO_SECRET` has sealed. Returns how many there were.
///
/// Secrets whose entry is not in the list are left as they are: see [`count_without_key`].
///
/// # Errors
/// `unavailable` or `internal` if the database fails. Each secret is stored by a statement of its own.
pub async fn reseal(app: &App) -> Result<u64> {
    let mut count = 0;
    for table in app.get::<SealedTables>().0 {
        loop {
            let rows = sealed_by_older_keys(app, table).await?;
            for row in &rows {
                reseal_row(app, table, row).await?;
            }
            count += rows.len() as u64;
            if (rows.len() as u64) < BATCH {
                break;
            }
        }
    }
    Ok(count)
}

/// Returns rows of `table` whose secret an older entry of the list has sealed.
async fn sealed_by_older_keys(app: &App, table: &'static str) -> Result<Vec<Row>> {
    let newest = app.keys().newest().fingerprint();
    let older: Vec<_> = app.keys().fingerprints().filter(|fingerprint| *fingerprint != newest).collect();
    if older.is_empty() {
        return Ok(Vec::new());
    }
    let query = Query::select()
        .columns(["id", "sealed", "key_fingerprint"].map(Alias::new))
        .from(Alias::new(table))
        .and_where(Expr::col(Alias::new("key_fingerprint")).is_in(older))
        .limit(BATCH)
        .take();
    let db = app.db();
    let rows = db.query_all(&query).await?;
    rows.iter().map(|row| Ok(Row::from_query_result(row, "")?)).collect()
}

/// Seals the secret of one row again. Does nothing if another process has changed the row since it was read.
async fn reseal_row(app: &App, table: &'static str, row: &Row) -> Result<()> {
    let sealed_row = SealedRow { table, id: row.id };
    let old = Sealed { text: row.sealed.clone(), key_fingerprint: row.key_fingerprint.clone() };
    let new = seal(app, sealed_row, &open(app, sealed_row, &old)?)?;
    let update = Query::update()
        .table(Alias::new(table))
        .value(Alias::new("sealed"), new.text)
        .value(Alias::new("key_fingerprint"), new.key_fingerprint)
        .and_where(Expr::col(Alias::new("id")).eq(row.id))
        .and_where(Expr::col(Alias::new("sealed")).eq(old.text))
        .take();
    app.db().execute(&update).await?;
    Ok(())
}

/// Returns how many secrets were sealed by an entry that is not in `PORTICO_SECRET`. Without that entry, Portico
/// cannot read them again.
///
/// Returns 0 for a table that the database does not have yet.
///
/// # Errors
/// If the database cannot be read now.
pub async fn count_without_key(app: &App) -> std::result::Result<u64, DatabaseError> {
    let db = app.db();
    let mut count = 0;
    for table in app.get::<SealedTables>().0 {
        let query = Query::select()
            .expr_as(Func::count(Expr::col(Alias::new("id"))), Alias::new("count"))
            .from(Alias::new(*table))
            .and_where(Expr::col(Alias::new("key_fingerprint")).is_not_in(app.keys().fingerprints()))
            .take();
        match db.query_one(&query).await {
            Ok(Some(row)) => count += row.try_get::<i64>("", "count")?.unsigned_abs(),
            Ok(None) => {}
            Err(error) if TransientDbError::of(&error).is_some() => return Err(error.into()),
            Err(_) => {}
        }
    }
    Ok(count)
}

/// The job that calls [`reseal`], after the first entry of `PORTICO_SECRET` has changed.
#[derive(Default, Serialize, Deserialize)]
pub struct ResealSecrets {}

impl Job for ResealSecrets {
    const NAME: &'static str = "reseal_secrets";
    const LANE: Lane = Lane::Maintenance;

    async fn run(&self, app: &App) -> std::result::Result<(), JobError> {
        let count = reseal(app).await?;
        if count > 0 {
            info!(count, "sealed secrets again by the first entry of PORTICO_SECRET");
        }
        Ok(())
    }
}
