//! Who did what to whom, from where and when.

use crate::schema::*;
use sea_orm_migration::prelude::{ForeignKeyAction::Restrict, *};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let audit_events = table("audit_events")
            .col(pk_uuid("id"))
            .col(uuid_null("tenant_id"))
            .col(uuid_null("client_id"))
            .col(one_of("actor_realm", &["portal", "staff", "system", "anonymous"]))
            .col(uuid_null("actor_id"))
            .col(string("action"))
            .col(string_null("target_kind"))
            .col(uuid_null("target_id"))
            .col(one_of("outcome", &["success", "failure"]))
            .col(json_binary("details"))
            .col(string_null("ip"))
            .col(string_null("user_agent"))
            .col(string_null("request_id"))
            .col(time("at"))
            .foreign_key(&mut refers("audit_events", "tenant_id", "tenants", Restrict))
            .foreign_key(&mut refers("audit_events", "client_id", "clients", Restrict))
            .take();
        create(
            manager,
            vec![audit_events],
            vec![index("audit_events", &["tenant_id", "at"]), index("audit_events", &["target_id"])],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["audit_events"]).await
    }
}
