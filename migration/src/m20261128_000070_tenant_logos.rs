//! The logos of tenants.

use crate::schema::*;
use sea_orm_migration::prelude::*;

/// Creates the table `tenant_logos`.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// By default, SeaORM begins a transaction on Postgres only.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let logos = table("tenant_logos")
            .col(pk_uuid("tenant_id"))
            .col(string("hash"))
            .col(blob("png"))
            .col(integer("width"))
            .col(integer("height"))
            .col(blob("mail_png"))
            .col(integer("mail_width"))
            .col(integer("mail_height"))
            .col(time("uploaded_at"))
            .foreign_key(&mut refers("tenant_logos", "tenant_id", "tenants", ForeignKeyAction::Cascade))
            .take();
        create(manager, vec![logos], vec![]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["tenant_logos"]).await
    }
}
