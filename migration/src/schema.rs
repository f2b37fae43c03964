//! Helpers for migrations: column types, tables, foreign keys, and indexes with Portico's naming.
//!
//! An enum that may get further values (mail kinds, token purposes, realms, lanes, statuses) is a text column without
//! a CHECK constraint, because SQLite cannot change a CHECK without rebuilding the table. The enums of the `entity`
//! crate check the values.

use sea_orm_migration::prelude::*;

pub(crate) use sea_orm_migration::schema::{
    big_integer, big_integer_null, blob, boolean, integer, integer_null, json_binary, json_binary_null, pk_uuid,
    string, string_null, string_uniq, text, text_null, timestamp_with_time_zone as time,
    timestamp_with_time_zone_null as time_null, uuid, uuid_null,
};

/// Returns a statement that creates the table `name` if it does not exist.
pub(crate) fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).if_not_exists().take()
}

/// Returns a foreign key from `from.column` to `to.id`. `on_delete` says what the deletion of the row in `to` does.
pub(crate) fn refers(
    from: &'static str,
    column: &'static str,
    to: &'static str,
    on_delete: ForeignKeyAction,
) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(from, column).to(to, "id").on_delete(on_delete).take()
}

/// Returns an index that is named after its table and columns: `idx_TABLE_COLUMN_COLUMN`.
pub(crate) fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(format!("idx_{table}_{}", columns.join("_"))).table(table).take();
    for column in columns {
        index.col(*column);
    }
    index
}

/// Returns a unique index that is named after its table and columns: `idx_TABLE_COLUMN_COLUMN`.
pub(crate) fn unique(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    index(table, columns).unique().take()
}

/// Creates `tables` in the given order, then `indexes`. A table must come after the tables that its foreign keys
/// refer to.
///
/// # Errors
/// If the database refuses a statement.
pub(crate) async fn create(
    manager: &SchemaManager<'_>,
    tables: Vec<TableCreateStatement>,
    indexes: Vec<IndexCreateStatement>,
) -> Result<(), DbErr> {
    for table in tables {
        manager.create_table(table).await?;
    }
    for index in indexes {
        manager.create_index(index).await?;
    }
    Ok(())
}

/// Drops `tables` with their indexes, in the given order. A table must come before the tables that its foreign keys
/// refer to.
///
/// # Errors
/// If the database refuses a statement.
pub(crate) async fn drop(manager: &SchemaManager<'_>, tables: &[&'static str]) -> Result<(), DbErr> {
    for table in tables {
        manager.drop_table(Table::drop().table(*table).take()).await?;
    }
    Ok(())
}
