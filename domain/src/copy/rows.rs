//! The rows of one table.

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

/// Rows written by one statement: with 17 columns far below the 32,766 values that SQLite takes.
const BATCH: usize = 500;
/// How many rows pass between two words about it.
const WORD_EVERY: u64 = 20_000;

/// Whether the target has any row.
pub(super) async fn any<E: EntityTrait>(to: &DatabaseTransaction) -> Result<bool, CopyError>
where
    E::Model: Send + Sync,
{
    let any = E::find().limit(1).one(to).await;
    any.map(|row| row.is_some()).map_err(|error| failed::<E>(Side::Target, error))
}

/// Copies all rows as they come, and answers what they were.
pub(super) async fn copy<E: EntityTrait>(
    from: &DatabaseTransaction,
    to: &DatabaseTransaction,
) -> Result<Digest, CopyError>
where
    E::Model: IntoActiveModel<E::ActiveModel> + Send + Sync,
{
    let unread = |error| failed::<E>(Side::Source, error);
    let mut batches = pin!(E::find().stream(from).await.map_err(unread)?.try_chunks(BATCH));
    let mut digest = Digest::default();
    while let Some(batch) = batches.try_next().await.map_err(|TryChunksError(_, error)| unread(error))? {
        let mut rows = Vec::with_capacity(batch.len());
        for row in batch {
            let row = kept::<E>(row).map_err(unread)?;
            refuse_nul::<E>(&row)?;
            digest.add(values::<E>(&row));
            rows.push(row);
        }
        E::insert_many(rows).exec_without_returning(to).await.map_err(|error| failed::<E>(Side::Target, error))?;
        if digest.rows().is_multiple_of(WORD_EVERY) {
            info!(table = E::default().table_name(), rows = digest.rows(), "copying");
        }
    }
    Ok(digest)
}

/// What this side holds.
pub(super) async fn digest<E: EntityTrait>(tx: &DatabaseTransaction, side: Side) -> Result<Digest, CopyError>
where
    E::Model: IntoActiveModel<E::ActiveModel> + Send + Sync,
{
    let unread = |error| failed::<E>(side, error);
    let mut rows = pin!(E::find().stream(tx).await.map_err(unread)?);
    let mut digest = Digest::default();
    while let Some(row) = rows.try_next().await.map_err(unread)? {
        digest.add(values::<E>(&kept::<E>(row).map_err(unread)?));
    }
    Ok(digest)
}

fn failed<E: EntityTrait>(side: Side, error: DbErr) -> CopyError {
    CopyError::Database(side, E::default().table_name(), error)
}

/// The row as both databases keep it. SQLite holds times as text of any precision; they are cut, never rounded up, so
/// that of two times the earlier never becomes the later.
fn kept<E: EntityTrait>(row: E::Model) -> Result<E::ActiveModel, DbErr>
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

fn values<E: EntityTrait>(row: &E::ActiveModel) -> impl Iterator<Item = Value> {
    E::Column::iter().filter_map(|column| row.get(column).into_value())
}

fn refuse_nul<E: EntityTrait>(row: &E::ActiveModel) -> Result<(), CopyError> {
    for column in E::Column::iter() {
        let bad = match row.get(column).into_value() {
            Some(Value::String(Some(text))) => text.contains('\0'),
            Some(Value::Json(Some(json))) => holds_nul(&json),
            _ => false,
        };
        if bad {
            let key = E::PrimaryKey::iter().filter_map(|key| row.get(key.into_column()).into_value());
            let key: Vec<String> = key.map(shown).collect();
            return Err(CopyError::Nul {
                table: E::default().table_name(),
                column: column.as_str().to_owned(),
                row: key.join(", "),
            });
        }
    }
    Ok(())
}

fn holds_nul(json: &Json) -> bool {
    match json {
        Json::String(text) => text.contains('\0'),
        Json::Array(items) => items.iter().any(holds_nul),
        Json::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

fn shown(key: Value) -> String {
    match key {
        Value::Uuid(Some(id)) => id.to_string(),
        Value::String(Some(text)) => format!("{text:?}"),
        other => format!("{other:?}"),
    }
}
