//! Background jobs, schedules, workers, mail, rate limits and the audit log, which all capabilities use.

use crate::schema::*;
use sea_orm_migration::prelude::{
    ForeignKeyAction::{Restrict, SetNull},
    *,
};

/// Creates the tables that all capabilities use.
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
        let background_jobs = table("background_jobs")
            .col(pk_uuid("id"))
            .col(string("name"))
            .col(string("lane"))
            .col(json_binary("payload"))
            .col(string("state"))
            .col(integer("attempts"))
            .col(integer("max_attempts"))
            .col(integer("crash_count"))
            .col(time("run_at"))
            .col(time_null("pushed_at"))
            .col(time_null("started_at"))
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
            .col(string("kind"))
            .col(string("recipient"))
            .col(uuid_null("tenant_id"))
            .col(uuid_null("client_id"))
            .col(uuid_null("portal_user_id"))
            .col(uuid_null("staff_user_id"))
            .col(uuid_null("invitation_id"))
            // No foreign key: `code_flows.email_id` refers to `emails`, and the mail's row is inserted before the
            // flow's row.
            .col(uuid_null("code_flow_id"))
            .col(string("status"))
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
        let paused_lanes = table("paused_lanes").col(string("lane").primary_key()).col(time("paused_at")).take();
        let workers = table("workers").col(pk_uuid("id")).col(time("started_at")).col(time("seen_at")).take();
        let rate_limits = table("rate_limits")
            .col(string("key").primary_key())
            .col(big_integer("theoretical_arrival"))
            .col(big_integer("count"))
            .col(time("expires_at"))
            .take();
        let audit_events = table("audit_events")
            .col(pk_uuid("id"))
            .col(uuid_null("tenant_id"))
            .col(uuid_null("client_id"))
            .col(string("actor_realm"))
            .col(uuid_null("actor_id"))
            .col(string("action"))
            .col(string_null("target_kind"))
            .col(uuid_null("target_id"))
            .col(string("outcome"))
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
            vec![background_jobs, schedule_runs, paused_lanes, workers, emails, rate_limits, audit_events],
            vec![
                // The only index besides the primary key: each claim and each completion of a job writes a new row
                // version, and every further index would get a new entry each time.
                index("background_jobs", &["state", "run_at"]),
                index("emails", &["tenant_id", "created_at"]),
                index("emails", &["recipient", "created_at"]),
                index("emails", &["invitation_id"]),
                index("emails", &["client_id", "status"]),
                index("emails", &["status", "created_at"]),
                index("rate_limits", &["expires_at"]),
                index("audit_events", &["tenant_id", "at"]),
                index("audit_events", &["target_id"]),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(
            manager,
            &["audit_events", "rate_limits", "emails", "workers", "paused_lanes", "schedule_runs", "background_jobs"],
        )
        .await
    }
}
