//! The search index of clients, memberships and invitations, and what their lists read.

use crate::schema::*;
use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

/// Creates the table `search_words`, and adds to each table that is searched a column that says whether a row is in the
/// index. A job indexes the rows that exist already.
///
/// Memberships and invitations get the tenant of their client, so that the list of a tenant is a range of an index.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The tables that are searched.
const SEARCHED: [&str; 3] = ["clients", "memberships", "invitations"];
/// The column that is added to them.
const IS_INDEXED: &str = "is_search_indexed";
/// The tables that get the column [`TENANT`].
const OF_A_TENANT: [&str; 2] = ["memberships", "invitations"];
/// The tenant of the client. It is null in a row of an older version until the job has filled it in. It has no foreign
/// key, because SQLite cannot add one to a table.
const TENANT: &str = "tenant_id";

/// The tables and columns of the indexes of the lists, which are read in the order of the ids.
const OF_LISTS: [(&str, &[&str]); 6] = [
    ("memberships", &[TENANT, "id"]),
    ("memberships", &[TENANT, "status", "id"]),
    ("memberships", &["client_id", "id"]),
    ("memberships", &["client_id", "status", "id"]),
    ("invitations", &[TENANT, "id"]),
    ("invitations", &[TENANT, "status", "id"]),
];

/// Drops the index of `table` that [`index`] has named.
async fn drop_index(manager: &SchemaManager<'_>, table: &'static str, columns: &[&str]) -> Result<(), DbErr> {
    let name = format!("idx_{table}_{}", columns.join("_"));
    manager.drop_index(Index::drop().name(name).table(table).to_owned()).await
}

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
        for table in OF_A_TENANT {
            manager.alter_table(Table::alter().table(table).add_column(uuid_null(TENANT)).take()).await?;
            let tenant_of_client = Query::select()
                .column(TENANT)
                .from("clients")
                .and_where(Expr::col(("clients", "id")).equals((table, "client_id")))
                .take();
            let fill = Query::update().table(table).value(TENANT, tenant_of_client).take();
            manager.execute(fill).await?;
        }
        for (table, columns) in OF_LISTS {
            manager.create_index(index(table, columns)).await?;
        }
        // The index of `client_id` and `id` replaces it.
        drop_index(manager, "memberships", &["client_id"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_index(index("memberships", &["client_id"])).await?;
        for (table, columns) in OF_LISTS {
            drop_index(manager, table, columns).await?;
        }
        for table in OF_A_TENANT {
            manager.alter_table(Table::alter().table(table).drop_column(TENANT).take()).await?;
        }
        for table in SEARCHED {
            drop_index(manager, table, &[IS_INDEXED]).await?;
            manager.alter_table(Table::alter().table(table).drop_column(IS_INDEXED).take()).await?;
        }
        drop(manager, &["search_words"]).await
    }
}
