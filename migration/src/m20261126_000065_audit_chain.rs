//! The chain of the audit log: seals, commitments and anchors, and the indexes of its list.

use crate::schema::*;
use sea_orm_migration::prelude::*;

/// Adds to `audit_events` who acted and the seal of each row, and creates the tables of the chains, their anchors and
/// the exports that run. A worker seals the rows that exist already.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The new columns of text. The values of the first two are personal; the others belong to the seal.
const TEXTS: [&str; 12] = [
    "actor_name",
    "actor_address",
    "mac",
    "seal_key",
    "actor_name_salt",
    "actor_name_commitment",
    "actor_address_salt",
    "actor_address_commitment",
    "ip_salt",
    "ip_commitment",
    "user_agent_salt",
    "user_agent_commitment",
];

/// The columns of the new indexes, each after `tenant_id` and before `id`: the list is read in the order of the ids.
const FILTERS: [&str; 5] = ["actor_id", "action", "target_id", "client_id", "outcome"];

/// The indexes that the new ones replace.
const REPLACED: [&[&str]; 2] = [&["tenant_id", "at"], &["target_id"]];

/// Returns the new indexes of `audit_events`.
fn indexes() -> Vec<IndexCreateStatement> {
    let unsealed = Index::create()
        .name("idx_audit_events_unsealed")
        .table("audit_events")
        .col("tenant_id")
        .col("id")
        .and_where(Expr::col("sequence").is_null())
        .take();
    let lists = FILTERS.map(|column| index("audit_events", &["tenant_id", column, "id"]));
    let whole = [index("audit_events", &["tenant_id", "id"]), index("audit_events", &["tenant_id", "sequence"])];
    whole.into_iter().chain(lists).chain([unsealed]).collect()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// By default, SeaORM begins a transaction on Postgres only. An interrupted migration must leave an SQLite database
    /// as it was too: the next run would otherwise add the same column again and fail.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = TEXTS.map(string_null).into_iter().chain([big_integer_null("sequence")]);
        for mut column in columns {
            manager.alter_table(Table::alter().table("audit_events").add_column(&mut column).take()).await?;
        }
        let audit_chains = table("audit_chains")
            .col(pk_uuid("id"))
            .col(big_integer("sequence"))
            .col(string_null("mac"))
            .col(string_null("digest"))
            .col(string_null("key"))
            .col(string_null("seal"))
            .col(time_null("key_changed_at"))
            .col(big_integer("logged_sequence"))
            .col(time_null("logged_at"))
            .col(time_null("redacted_before"))
            .take();
        let audit_anchors = table("audit_anchors")
            .col(pk_uuid("id"))
            .col(uuid("chain_id"))
            .col(string("kind"))
            .col(big_integer("sequence"))
            .col(string("mac"))
            .col(string("digest"))
            .col(string("key"))
            .col(string("seal"))
            .col(time("at"))
            .foreign_key(&mut refers("audit_anchors", "chain_id", "audit_chains", ForeignKeyAction::Restrict))
            .take();
        let audit_exports = table("audit_exports")
            .col(uuid("tenant_id"))
            .col(integer("slot"))
            .col(uuid("holder"))
            .col(time("expires_at"))
            .primary_key(Index::create().col("tenant_id").col("slot"))
            .foreign_key(&mut refers("audit_exports", "tenant_id", "tenants", ForeignKeyAction::Restrict))
            .take();
        let by_chain = index("audit_anchors", &["chain_id", "sequence"]);
        create(manager, vec![audit_chains, audit_anchors, audit_exports], vec![by_chain]).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        for columns in REPLACED {
            let name = format!("idx_audit_events_{}", columns.join("_"));
            manager.drop_index(Index::drop().name(name).table("audit_events").to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for columns in REPLACED {
            manager.create_index(index("audit_events", columns)).await?;
        }
        for index in indexes() {
            let name = index.get_index_spec().get_name().unwrap_or_default().to_owned();
            manager.drop_index(Index::drop().name(name).table("audit_events").to_owned()).await?;
        }
        drop(manager, &["audit_exports", "audit_anchors", "audit_chains"]).await?;
        for column in TEXTS.into_iter().chain(["sequence"]) {
            manager.alter_table(Table::alter().table("audit_events").drop_column(column).take()).await?;
        }
        Ok(())
    }
}
