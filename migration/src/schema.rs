//! Helpers for writing migrations: column types, tables, foreign keys and indexes with our naming.
//!
//! A closed set that grows (mail kinds, token purposes, realms, lanes, statuses) is a plain text column without a CHECK
//! constraint, because SQLite cannot alter one without rebuilding the table. The enums of the `entity` crate check the
//! values.

use sea_orm_migration::prelude::*;

pub(crate) use sea_orm_migration::schema::{
    big_integer, integer, json_binary, pk_uuid, string, string_null, string_uniq, text_null,
    timestamp_with_time_zone as time, timestamp_with_time_zone_null as time_null, uuid, uuid_null,
};

/// A table, made where it is not there yet.
pub(crate) fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).if_not_exists().take()
}

/// `from.column` refers to `to.id`; deleting that row is refused, or does `deleted` here.
pub(crate) fn refers(
    from: &'static str,
    column: &'static str,
    to: &'static str,
    deleted: ForeignKeyAction,
) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(from, column).to(to, "id").on_delete(deleted).take()
}

/// An index named after its table and columns.
pub(crate) fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(format!("idx_{table}_{}", columns.join("_"))).table(table).take();
    for column in columns {
        index.col(*column);
    }
    index
}

/// A unique index named after its table and columns.
pub(crate) fn unique(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    index(table, columns).unique().take()
}

/// Makes `tables`, then `indexes`.
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

/// Drops tables with their indexes, in the given order.
pub(crate) async fn drop(manager: &SchemaManager<'_>, tables: &[&'static str]) -> Result<(), DbErr> {
    for table in tables {
        manager.drop_table(Table::drop().table(*table).take()).await?;
    }
    Ok(())
}
