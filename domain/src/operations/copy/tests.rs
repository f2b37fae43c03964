//! Copies from one SQLite database to another. The black-box tests copy to Postgres.

use std::collections::BTreeSet;

use portico_entity::{client, schedule_run, tenant};
use sea_orm::{ConnectionTrait, EntityTrait};

use super::*;
use crate::testing::{self, TestApp};

/// One tenant, two clients and one schedule run.
const SAMPLE_ROWS: &str = "
    INSERT INTO tenants (id, slug, name, status, branding, default_locale, created_at) VALUES
        (x'00000000000000000000000000000001', 'acme', 'Acme', 'active', '{\"b\":1,\"a\":[2.0]}',
        'en', '2026-11-21T15:00:00.123456789+00:00');
    INSERT INTO clients (id, tenant_id, name, external_ref, status, created_at) VALUES
        (x'00000000000000000000000000000002', x'00000000000000000000000000000001', 'One', NULL, 'active',
        '2026-11-21T15:00:00.999999999+00:00');
    INSERT INTO clients (id, tenant_id, name, external_ref, status, created_at) VALUES
        (x'00000000000000000000000000000003', x'00000000000000000000000000000001', 'Two', 'ref', 'archived',
        '2026-11-21T15:00:00+00:00');
    INSERT INTO schedule_runs VALUES ('sweep', '2026-11-21T15:00:00+00:00', '2026-11-21T15:00:01+00:00');";

/// A source with [`SAMPLE_ROWS`] and an empty target.
async fn source_and_target() -> (TestApp, TestApp) {
    let (source, target) = (testing::app().await, testing::app().await);
    source.db().execute_unprepared(SAMPLE_ROWS).await.unwrap();
    (source, target)
}

async fn copy_between(source: &TestApp, target: &TestApp) -> Result<Vec<CopiedTable>, CopyError> {
    copy(&source.settings().database, &target.settings().database).await
}

async fn is_empty(target: &TestApp) -> bool {
    tenant::Entity::find().all(target.db()).await.unwrap().is_empty()
        && client::Entity::find().all(target.db()).await.unwrap().is_empty()
}

#[tokio::test]
async fn table_list_covers_every_table_and_column_of_the_schema() {
    let app = testing::app().await;
    let in_schema =
        app.names("sqlite_master WHERE type = 'table' AND name NOT IN ('seaql_migrations', 'sqlite_sequence')").await;
    let tables = tables::all();
    assert_eq!(in_schema, tables.iter().map(|table| table.name.to_owned()).collect::<BTreeSet<_>>());
    for table in &tables {
        let in_schema = app.names(&format!("pragma_table_info('{}')", table.name)).await;
        assert_eq!(in_schema, (table.columns)().into_iter().collect::<BTreeSet<_>>(), "{}", table.name);
    }
}

#[tokio::test]
async fn all_rows_are_copied_and_times_are_truncated_to_microseconds() {
    let (source, target) = source_and_target().await;
    let copied = copy_between(&source, &target).await.unwrap();
    let rows =
        copied.iter().filter(|copied| copied.digest.rows() > 0).map(|copied| (copied.table, copied.digest.rows()));
    assert_eq!(rows.collect::<Vec<_>>(), [("tenants", 1), ("clients", 2), ("schedule_runs", 1)]);
    let clients = client::Entity::find().all(target.db()).await.unwrap();
    let nanoseconds: Vec<_> = clients.iter().map(|client| client.created_at.timestamp_subsec_nanos()).collect();
    assert_eq!(nanoseconds, [999_999_000, 0]);
    let tenant = tenant::Entity::find().one(target.db()).await.unwrap().unwrap();
    assert_eq!(tenant.branding, serde_json::json!({ "a": [2.0], "b": 1 }));
    assert_eq!(schedule_run::Entity::find().all(target.db()).await.unwrap().len(), 1);
    assert!(matches!(copy_between(&source, &target).await, Err(CopyError::NotEmpty("tenants"))));
}

#[tokio::test]
async fn copy_fails_and_target_stays_empty_if_target_alters_rows() {
    for alteration in ["UPDATE clients SET name = 'Other' WHERE id = NEW.id", "DELETE FROM clients WHERE id = NEW.id"] {
        let (source, target) = source_and_target().await;
        let trigger = format!("CREATE TRIGGER alter_row AFTER INSERT ON clients BEGIN {alteration}; END");
        target.db().execute_unprepared(&trigger).await.unwrap();
        assert!(
            matches!(copy_between(&source, &target).await, Err(CopyError::TargetDiffers("clients"))),
            "{alteration}"
        );
        assert!(is_empty(&target).await, "{alteration}");
    }
}

#[tokio::test]
async fn target_stays_empty_if_it_refuses_a_row() {
    let (source, target) = source_and_target().await;
    target.db().execute_unprepared("DROP TABLE schedule_runs").await.unwrap();
    let error = copy_between(&source, &target).await.unwrap_err();
    assert!(matches!(error, CopyError::Database(Side::Target, "schedule_runs", _)), "{error}");
    let (source, target) = source_and_target().await;
    target.db().execute_unprepared("CREATE UNIQUE INDEX one ON clients (tenant_id)").await.unwrap();
    let error = copy_between(&source, &target).await.unwrap_err();
    assert!(matches!(error, CopyError::Database(Side::Target, "clients", _)), "{error}");
    assert!(is_empty(&target).await);
}

#[tokio::test]
async fn nul_error_names_table_column_and_row() {
    let cases = [
        ("UPDATE clients SET name = 'a' || char(0) WHERE name = 'Two'", "clients.name", "0003"),
        ("UPDATE tenants SET branding = '{\"a\":[\"\\u0000\"]}'", "tenants.branding", "0001"),
    ];
    for (update, column, row) in cases {
        let (source, target) = source_and_target().await;
        source.db().execute_unprepared(update).await.unwrap();
        let error = copy_between(&source, &target).await.unwrap_err().to_string();
        let key = format!("in the row 00000000-0000-0000-0000-00000000{row}:");
        assert!(error.starts_with(&format!("{column} contains")) && error.contains(&key), "{error}");
        assert!(is_empty(&target).await);
    }
}

#[tokio::test]
async fn empty_source_is_an_error() {
    let (source, target) = (testing::app().await, testing::app().await);
    assert!(matches!(copy_between(&source, &target).await, Err(CopyError::EmptySource)));
}
