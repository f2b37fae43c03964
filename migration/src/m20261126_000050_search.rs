//! The search index of clients, memberships and invitations.

use crate::schema::*;
use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

/// Creates the table `search_words`, and adds to each table that is searched a column that says whether a row is in the
/// index. A job indexes the rows that exist already.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The tables that are searched.
const SEARCHED: [&str; 3] = ["clients", "memberships", "invitations"];
/// The column that is added to them.
const IS_INDEXED: &str = "is_search_indexed";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// By default, SeaORM begins a transaction on Postgres only. An interrupted migration must leave an SQLite database
    /// as it was too: the next run would otherwise add the same column again and fail.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut word = string("word");
        if manager.get_database_backend() == DbBackend::Postgres {
            // Words are compared by their bytes, as on SQLite, so that those with the same beginning are a range.
            word.extra("COLLATE \"C\"");
        }
        let search_words = table("search_words")
            .col(uuid("object_id"))
            .col(word)
            .col(uuid("tenant_id"))
            .col(string("subject"))
            .primary_key(Index::create().col("object_id").col("word"))
            .foreign_key(&mut refers("search_words", "tenant_id", "tenants", ForeignKeyAction::Restrict))
            .take();
        let by_word = index("search_words", &["tenant_id", "subject", "word", "object_id"]);
        create(manager, vec![search_words], vec![by_word]).await?;
        for table in SEARCHED {
            let column = boolean(IS_INDEXED).default(false).take();
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
            let not_indexed = index(table, &[IS_INDEXED]).and_where(Expr::col(IS_INDEXED).eq(false)).take();
            manager.create_index(not_indexed).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in SEARCHED {
            let name = format!("idx_{table}_{IS_INDEXED}");
            manager.drop_index(Index::drop().name(name).table(table).to_owned()).await?;
            manager.alter_table(Table::alter().table(table).drop_column(IS_INDEXED).take()).await?;
        }
        drop(manager, &["search_words"]).await
    }
}
