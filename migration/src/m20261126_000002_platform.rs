//! Background jobs, the slots of scheduled ones, and the outbox of mail.

use crate::schema::*;
use sea_orm_migration::prelude::{
    ForeignKeyAction::{Restrict, SetNull},
    *,
};

/// Every mail there was when this was written; a later kind comes with a migration of its own.
const KINDS: [&str; 8] = [
    "activation",
    "invitation",
    "access_notice",
    "reset",
    "password_changed",
    "password_closed",
    "session_ended",
    "staff_code",
];

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let background_jobs = table("background_jobs")
            .col(pk_uuid("id"))
            .col(string("name"))
            .col(one_of("lane", &["urgent", "bulk", "upkeep"]))
            .col(json_binary("payload"))
            .col(one_of("state", &["queued", "running", "done", "dead"]))
            .col(integer("attempts"))
            .col(integer("max_attempts"))
            .col(integer("losses"))
            .col(time("run_at"))
            .col(time_null("pushed_at"))
            .col(uuid_null("lease_owner"))
            .col(time_null("lease_until"))
            .col(text_null("last_error"))
            .col(string_null("request_id"))
            .col(time("created_at"))
            .col(time_null("finished_at"))
            .take();
        let schedule_runs = table("schedule_runs")
            .col(string("name"))
            .col(time("slot"))
            .col(time("ran_at"))
            .primary_key(Index::create().col("name").col("slot"))
            .take();
        let emails = table("emails")
            .col(pk_uuid("id"))
            .col(one_of("kind", &KINDS))
            .col(string("recipient"))
            .col(uuid_null("tenant_id"))
            .col(uuid_null("client_id"))
            .col(uuid_null("portal_user_id"))
            .col(uuid_null("staff_user_id"))
            .col(uuid_null("invitation_id"))
            // No foreign key: the flow refers to its mail, and one of the two must come first.
            .col(uuid_null("code_flow_id"))
            .col(one_of("status", &["queued", "sent", "failed", "suppressed"]))
            .col(integer("attempts"))
            .col(text_null("detail"))
            .col(string_uniq("message_id"))
            .col(time_null("expires_at"))
            .col(time("created_at"))
            .col(time_null("sent_at"))
            .foreign_key(&mut refers("emails", "tenant_id", "tenants", Restrict))
            .foreign_key(&mut refers("emails", "client_id", "clients", Restrict))
            .foreign_key(&mut refers("emails", "portal_user_id", "portal_users", Restrict))
            .foreign_key(&mut refers("emails", "staff_user_id", "staff_users", Restrict))
            .foreign_key(&mut refers("emails", "invitation_id", "invitations", SetNull))
            .take();
        create(
            manager,
            vec![background_jobs, schedule_runs, emails],
            vec![
                index("background_jobs", &["state", "run_at"]),
                index("background_jobs", &["state", "finished_at"]),
                index("background_jobs", &["lease_owner", "state"]),
                index("emails", &["tenant_id", "created_at"]),
                index("emails", &["recipient", "created_at"]),
                index("emails", &["invitation_id"]),
                index("emails", &["client_id", "status"]),
                index("emails", &["status", "created_at"]),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["emails", "schedule_runs", "background_jobs"]).await
    }
}
