//! The cost of each password hash in a column of its own, so that all costs in use can be listed without reading every
//! row.

use sea_orm::{ConnectionTrait, Statement};

use crate::schema::*;
use sea_orm_migration::prelude::*;

/// Adds `portal_users.password_cost` and fills it.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// By default, SeaORM begins a transaction on Postgres only. An interrupted migration must leave an SQLite database
    /// as it was too: the next run would otherwise add the same column again and fail.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = Table::alter().table("portal_users").add_column(string_null("password_cost")).take();
        manager.alter_table(column).await?;
        manager.create_index(index("portal_users", &["password_cost"])).await?;
        fill(manager.get_connection()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(Index::drop().name("idx_portal_users_password_cost").table("portal_users").to_owned())
            .await?;
        manager.alter_table(Table::alter().table("portal_users").drop_column("password_cost").take()).await
    }
}

/// Copies the cost out of each hash (`$scrypt$ln=17,r=8,p=1$salt$hash`), by one statement for each cost in use.
async fn fill(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    let next = "SELECT password_phc FROM portal_users \
                WHERE password_phc IS NOT NULL AND password_cost IS NULL LIMIT 1";
    while let Some(row) = db.query_one_raw(Statement::from_string(backend, next)).await? {
        let phc: String = row.try_get_by_index(0)?;
        let cost = phc.split('$').nth(2).unwrap_or_default();
        let start: String = phc.split_inclusive('$').take(3).collect();
        let update = "UPDATE portal_users SET password_cost = $1 WHERE password_phc LIKE $2 AND password_cost IS NULL";
        let values = [cost.into(), format!("{start}%").into()];
        db.execute_raw(Statement::from_sql_and_values(backend, update, values)).await?;
    }
    Ok(())
}
