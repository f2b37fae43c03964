//! Copying and comparing the rows of one table.

use std::pin::pin;

use chrono::SubsecRound;
use futures_util::{TryStreamExt, stream::TryChunksError};
use sea_orm::{
    ActiveModelTrait, DatabaseTransaction, DbErr, EntityTrait, IdenStatic, IntoActiveModel, Iterable,
    JsonValue as Json, PrimaryKeyToColumn, QuerySelect, Value,
};
use tracing::info;

use super::{
    digest::Digest,
    error::{CopyError, Side},
};

/// The number of rows that one `INSERT` writes. The widest table has 27 columns, so a statement has at most 13,500
/// values, and SQLite allows 32,766.
const BATCH: usize = 500;
/// The number of copied rows between two progress messages in the log.
const ROWS_PER_PROGRESS_MESSAGE: u64 = 20_000;

/// Returns whether the table `E` of the target has a row.
///
/// # Errors
/// [`CopyError::Database`] if the query fails.
pub(super) async fn has_rows<E: EntityTrait>(to: &DatabaseTransaction) -> Result<bool, CopyError>
where
    E::Model: Send + Sync,
{
    let row = E::find().limit(1).one(to).await;
    row.map(|row| row.is_some()).map_err(|error| failed::<E>(Side::Target, error))
}

/// Copies all rows of the table `E`, in the order in which the source returns them, and returns the digest of the
/// copied rows.
///
/// # Errors
/// - [`CopyError::Database`]: a statement failed in one of the databases.
/// - [`CopyError::Nul`]: a text contains the character NUL.
pub(super) async fn copy<E: EntityTrait>(
    from: &DatabaseTransaction,
    to: &DatabaseTransaction,
) -> Result<Digest, CopyError>
where
    E::Model: IntoActiveModel<E::ActiveModel> + Send + Sync,
{
    let source_error = |error| failed::<E>(Side::Source, error);
    let mut batches = pin!(E::find().stream(from).await.map_err(source_error)?.try_chunks(BATCH));
    let mut digest = Digest::default();
    while let Some(batch) = batches.try_next().await.map_err(|TryChunksError(_, error)| source_error(error))? {
        let mut rows = Vec::with_capacity(batch.len());
        for row in batch {
            let row = with_truncated_times::<E>(row).map_err(source_error)?;
            refuse_nul::<E>(&row)?;
            digest.add(values::<E>(&row));
            rows.push(row);
        }
        E::insert_many(rows).exec_without_returning(to).await.map_err(|error| failed::<E>(Side::Target, error))?;
        if digest.rows().is_multiple_of(ROWS_PER_PROGRESS_MESSAGE) {
            info!(table = E::default().table_name(), rows = digest.rows(), "copying table");
        }
    }
    Ok(digest)
}

/// Reads all rows of the table `E` and returns their digest. `side` names the database of `tx`.
///
/// # Errors
/// [`CopyError::Database`] if the query fails.
pub(super) async fn digest<E: EntityTrait>(tx: &DatabaseTransaction, side: Side) -> Result<Digest, CopyError>
where
    E::Model: IntoActiveModel<E::ActiveModel> + Send + Sync,
{
    let read_error = |error| failed::<E>(side, error);
    let mut rows = pin!(E::find().stream(tx).await.map_err(read_error)?);
    let mut digest = Digest::default();
    while let Some(row) = rows.try_next().await.map_err(read_error)? {
        digest.add(values::<E>(&with_truncated_times::<E>(row).map_err(read_error)?));
    }
    Ok(digest)
}

/// Returns the error for a failed statement on the table `E`.
fn failed<E: EntityTrait>(side: Side, error: DbErr) -> CopyError {
    CopyError::Database(side, E::default().table_name(), error)
}

/// Truncates the times of a row to microseconds, which both databases can store.
///
/// SQLite stores times as text of any precision. Times are never rounded up, so the earlier of two times never
/// becomes the later one.
fn with_truncated_times<E: EntityTrait>(row: E::Model) -> Result<E::ActiveModel, DbErr>
where
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let mut row = row.into_active_model();
    for column in E::Column::iter() {
        if let Some(Value::ChronoDateTimeUtc(Some(time))) = row.get(column).into_value() {
            row.try_set(column, time.trunc_subsecs(6).into())?;
        }
    }
    Ok(row)
}

/// Returns the values of a row in the order of the columns.
fn values<E: EntityTrait>(row: &E::ActiveModel) -> impl Iterator<Item = Value> {
    E::Column::iter().filter_map(|column| row.get(column).into_value())
}

/// Returns [`CopyError::Nul`] if a text or a JSON text of the row contains the character NUL.
fn refuse_nul<E: EntityTrait>(row: &E::ActiveModel) -> Result<(), CopyError> {
    for column in E::Column::iter() {
        let has_nul = match row.get(column).into_value() {
            Some(Value::String(Some(text))) => text.contains('\0'),
            Some(Value::Json(Some(json))) => contains_nul(&json),
            _ => false,
        };
        if has_nul {
            let key = E::PrimaryKey::iter().filter_map(|key| row.get(key.into_column()).into_value());
            let key: Vec<String> = key.map(format_key).collect();
            return Err(CopyError::Nul {
                table: E::default().table_name(),
                column: column.as_str().to_owned(),
                row: key.join(", "),
            });
        }
    }
    Ok(())
}

fn contains_nul(json: &Json) -> bool {
    match json {
        Json::String(text) => text.contains('\0'),
        Json::Array(items) => items.iter().any(contains_nul),
        Json::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || contains_nul(value)),
        _ => false,
    }
}

/// Formats a value of a primary key for an error message.
fn format_key(key: Value) -> String {
    match key {
        Value::Uuid(Some(id)) => id.to_string(),
        Value::String(Some(text)) => format!("{text:?}"),
        other => format!("{other:?}"),
    }
}
