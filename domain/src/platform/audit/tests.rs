//! Tests of the chains: sealing, tampering, keys, erasure and retention.

use chrono::TimeDelta;
use portico_entity::{
    TenantId, audit_anchor, audit_chain,
    audit_event::{Column, Entity, Model},
};
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait, QueryOrder};
use serde_json::json;

use super::*;
use crate::{
    platform::{
        actor::{Actor, Anonymous},
        app::App,
        job::Job,
    },
    testing::{self, SECRET, TestApp},
};

/// Two further server keys.
const SECOND: &str = "c2Vjb25kLXNlcnZlci1rZXktc2Vjb25kLXNlcnZlci0=";
const THIRD: &str = "dGhpcmQtc2VydmVyLWtleS10aGlyZC1zZXJ2ZXIta2V5";

/// Records `count` events of `tenant`, in a transaction each.
async fn record_events(app: &TestApp, tenant: TenantId, count: usize) {
    let user = app.insert_portal_user_once().await;
    for n in 0..count {
        let mut tx = app.begin().await.unwrap();
        let actor = Actor::portal_user(&user, &testing::context()).known_to(tenant, "Ann as typed");
        let event = Event::new("test.acted").target("test", app.new_id()).tenant(tenant);
        record(&mut tx, actor, event.details(json!({ "n": n, "b": [1, { "z": null, "a": "x" }] }))).await.unwrap();
        tx.commit().await.unwrap();
        app.clock().advance(TimeDelta::seconds(1));
    }
}

/// Returns an app with ten sealed events of a tenant, and the tenant.
async fn sealed() -> (TestApp, TenantId) {
    let app = testing::app().await;
    let tenant = app.insert_client().await.tenant_id;
    record_events(&app, tenant, 10).await;
    assert_eq!(seal_events(&app).await.unwrap(), 10);
    (app, tenant)
}

async fn report(app: &App, tenant: TenantId) -> ChainReport {
    verify(app, Scope::Tenant(tenant), None).await.unwrap().remove(0)
}

/// Returns the finding of the chain of `tenant` and its sequence, or `None` if the chain is intact.
async fn finding(app: &App, tenant: TenantId) -> Option<(&'static str, i64)> {
    report(app, tenant).await.problem.map(|problem| (problem.finding.name(), problem.sequence))
}

async fn sql(app: &App, sql: &str) {
    app.db().execute_unprepared(sql).await.unwrap();
}

async fn events(app: &App) -> Vec<Model> {
    Entity::find().order_by_asc(Column::Sequence).all(app.db()).await.unwrap()
}

#[tokio::test]
async fn events_are_sealed_once_in_the_order_of_their_ids() {
    let (app, tenant) = sealed().await;
    let first = events(&app).await;
    assert!(first.windows(2).all(|pair| pair[0].id < pair[1].id && pair[0].sequence < pair[1].sequence));
    assert_eq!(first.last().unwrap().sequence, Some(10));
    assert!(first.iter().all(|event| event.actor_name.as_deref() == Some("Ann as typed")));
    assert_eq!(seal_events(&app).await.unwrap(), 0);
    record_events(&app, tenant, 1).await;
    assert_eq!(report(&app, tenant).await.unsealed, 1);
    seal_events(&app).await.unwrap();
    let now = events(&app).await;
    assert_eq!((&now[..10], now[10].sequence), (&first[..], Some(11)));
    let report = report(&app, tenant).await;
    assert_eq!((report.status(), report.events, report.unsealed), (Status::Intact, 11, 0));
    assert_eq!(report.head.unwrap().mac, now[10].mac.clone().unwrap());
}

#[tokio::test]
async fn thousands_of_events_of_many_chains_are_sealed_in_batches() {
    let app = testing::app().await;
    let tenant = app.insert_client().await.tenant_id;
    let mut tx = app.begin().await.unwrap();
    let event = |n: usize| match n % 3 {
        0 => Event::new("test.acted"),
        _ => Event::new("test.acted").tenant(tenant),
    };
    for batch in 0..10 {
        let events = (0..600).map(|n| (Actor::SYSTEM, event(batch + n)));
        record_all(&mut tx, events.collect::<Vec<_>>()).await.unwrap();
    }
    tx.commit().await.unwrap();
    let (one, other) = tokio::join!(seal_events(&app), seal_events(&app));
    let by_both = one.unwrap_or(0) + other.unwrap_or(0);
    assert_eq!(by_both + seal_events(&app).await.unwrap(), 6_000);
    let reports = verify(&app, Scope::All, None).await.unwrap();
    let found: Vec<_> = reports.iter().map(|report| (report.name.as_str(), report.events, report.status())).collect();
    assert_eq!(found, [("installation", 2_000, Status::Intact), ("demo", 4_000, Status::Intact)]);
}

#[tokio::test]
async fn a_changed_value_of_any_column_is_found() {
    let other = "'01a1fdba-f86f-76f5-b296-4e548b3691ab'";
    let id = "x'01a1fdbaf86f76f5b2964e548b3691ab'";
    for (column, value) in [
        ("id", id),
        ("actor_realm", "'staff'"),
        ("actor_id", id),
        ("actor_id", "NULL"),
        ("action", "'test.undone'"),
        ("target_kind", "'other'"),
        ("target_id", id),
        ("outcome", "'failure'"),
        ("details", "'{\"n\":5}'"),
        ("ip", "'192.0.2.99'"),
        ("ip", "NULL"),
        ("ip_salt", "NULL"),
        ("ip_salt", "'00000000000000000000000000000000'"),
        ("ip_commitment", "NULL"),
        ("user_agent", "'other'"),
        ("user_agent_commitment", "ip_commitment"),
        ("actor_name", "'Bob'"),
        ("actor_address", "'bob@x.test'"),
        ("request_id", other),
        ("at", "'2027-01-15T08:00:04.500000+00:00'"),
        ("mac", "'00'"),
        ("mac", "NULL"),
        ("seal_key", "NULL"),
        ("client_id", "(SELECT id FROM clients)"),
    ] {
        let (app, tenant) = sealed().await;
        sql(&app, &format!("UPDATE audit_events SET {column} = {value} WHERE sequence = 5")).await;
        let (found, sequence) = finding(&app, tenant).await.unwrap_or_else(|| panic!("{column} = {value}"));
        assert!((4..=5).contains(&sequence), "{column} = {value}: {found} {sequence}");
        assert_eq!(report(&app, tenant).await.status(), Status::Broken, "{column} = {value}");
    }
}

#[tokio::test]
async fn removed_reordered_inserted_and_cut_off_events_are_found() {
    let swap = |a: i64, b: i64| {
        format!(
            "UPDATE audit_events SET sequence = CASE sequence WHEN {a} THEN {b} ELSE {a} END WHERE sequence IN ({a}, {b})"
        )
    };
    let insert = |sequence: i64| {
        let columns = "tenant_id, actor_realm, action, outcome, details, at, mac, seal_key";
        format!(
            "INSERT INTO audit_events (id, sequence, {columns}) \
             SELECT x'01a1fdbaf86f76f5b2964e548b3691ab', {sequence}, {columns} FROM audit_events WHERE sequence = 4"
        )
    };
    for (change, expected) in [
        ("DELETE FROM audit_events WHERE sequence = 5".to_owned(), ("removed", 5)),
        ("DELETE FROM audit_events WHERE sequence < 4".to_owned(), ("removed", 1)),
        ("UPDATE audit_events SET sequence = NULL WHERE sequence = 7".to_owned(), ("removed", 7)),
        ("UPDATE audit_events SET tenant_id = NULL WHERE sequence = 7".to_owned(), ("removed", 7)),
        (swap(5, 6), ("reordered", 5)),
        (swap(3, 9), ("reordered", 3)),
        (insert(5), ("inserted", 5)),
        (insert(11), ("changed", 11)),
        (insert(0), ("inserted", 0)),
        ("DELETE FROM audit_events WHERE sequence > 8".to_owned(), ("cut_off", 9)),
        ("DELETE FROM audit_chains".to_owned(), ("head_changed", 10)),
        ("UPDATE audit_chains SET digest = 'x'".to_owned(), ("head_changed", 10)),
        (
            "DELETE FROM audit_events WHERE sequence > 8; UPDATE audit_chains SET sequence = 8, \
             mac = (SELECT mac FROM audit_events WHERE sequence = 8)"
                .to_owned(),
            ("head_changed", 8),
        ),
    ] {
        let (app, tenant) = sealed().await;
        sql(&app, &change).await;
        assert_eq!(finding(&app, tenant).await, Some(expected), "{change}");
    }
}

#[tokio::test]
async fn a_tail_that_was_cut_off_with_an_older_head_is_found_by_a_logged_head() {
    let (app, tenant) = sealed().await;
    let older = audit_chain::Entity::find().one(app.db()).await.unwrap().unwrap();
    record_events(&app, tenant, 2).await;
    seal_events(&app).await.unwrap();
    let head = report(&app, tenant).await.head.unwrap();
    let found = async |head: &ChainHead| {
        let reports = verify(&app, Scope::Tenant(tenant), Some(head)).await.unwrap();
        reports[0].problem.clone().map(|problem| (problem.finding.name(), problem.sequence))
    };
    assert_eq!(found(&head).await, None);
    let forged = ChainHead { sequence: 7, mac: head.mac.clone() };
    assert_eq!(found(&forged).await, Some(("cut_off", 7)));

    sql(&app, "DELETE FROM audit_events WHERE sequence > 10").await;
    let (mac, digest, seal) = (older.mac.unwrap(), older.digest.unwrap(), older.seal.unwrap());
    sql(&app, &format!("UPDATE audit_chains SET sequence = 10, mac = '{mac}', digest = '{digest}', seal = '{seal}'"))
        .await;
    assert_eq!(finding(&app, tenant).await, None, "this is not found without a head");
    assert_eq!(found(&head).await, Some(("cut_off", 11)));
    record_events(&app, tenant, 2).await;
    seal_events(&app).await.unwrap();
    assert_eq!(finding(&app, tenant).await, None);
    assert_eq!(found(&head).await, Some(("cut_off", 12)), "also after the chain was continued");
}

#[tokio::test]
async fn a_head_that_was_changed_is_reported_also_after_the_chain_was_continued() {
    let (app, tenant) = sealed().await;
    sql(
        &app,
        "DELETE FROM audit_events WHERE sequence > 8; UPDATE audit_chains SET sequence = 8, \
         mac = (SELECT mac FROM audit_events WHERE sequence = 8)",
    )
    .await;
    record_events(&app, tenant, 3).await;
    seal_events(&app).await.unwrap();
    assert_eq!(finding(&app, tenant).await, Some(("head_changed", 8)));
}

#[tokio::test]
async fn events_that_another_key_has_sealed_are_not_accepted() {
    let (app, tenant) = sealed().await;
    let forger = app.with_secret(THIRD);
    // The forger has the database, and seals a changed event and the head with a key of its own.
    let mut event = events(&app).await.remove(9);
    event.action = "test.forged".into();
    let chain = audit_chain::Entity::find().one(app.db()).await.unwrap().unwrap();
    let before = events(&app).await.remove(8);
    let point = super::chain::Point { sequence: 9, mac: before.mac.unwrap(), digest: chain.digest.unwrap() };
    for (key, expected) in [(app.keys().newest().fingerprint(), "changed"), (THIRD, "anchor_changed")] {
        event.seal_key = Some(if key == THIRD { forger.keys().newest().fingerprint().into() } else { key.to_owned() });
        event.mac = Some(point.mac_of_next(forger.keys().newest(), &event));
        let (mac, key) = (event.mac.clone().unwrap(), event.seal_key.clone().unwrap());
        let change = format!("action = 'test.forged', mac = '{mac}', seal_key = '{key}'");
        sql(&app, &format!("UPDATE audit_events SET {change} WHERE sequence = 10")).await;
        let found = finding(&app, tenant).await.unwrap();
        assert_eq!(found.0, expected);
    }
}

#[tokio::test]
async fn an_erased_name_leaves_the_chain_intact_and_is_counted() {
    let (app, tenant) = sealed().await;
    sql(
        &app,
        "UPDATE audit_events SET actor_name = NULL, actor_name_salt = NULL, actor_address = NULL, \
         actor_address_salt = NULL WHERE sequence IN (2, 3, 10)",
    )
    .await;
    let report = report(&app, tenant).await;
    assert_eq!((report.status(), report.erased_values), (Status::Intact, 6));
    sql(&app, "UPDATE audit_events SET actor_name_salt = '00', actor_name = 'Ann as typed' WHERE sequence = 3").await;
    assert_eq!(finding(&app, tenant).await, Some(("changed", 3)));
}

#[tokio::test]
async fn a_server_key_is_replaced_in_three_steps() {
    let (app, tenant) = sealed().await;
    let appended = app.with_secret(&format!("{SECRET},{SECOND}"));
    let front = app.with_secret(&format!("{SECOND},{SECRET}"));
    let removed = app.with_secret(SECOND);
    assert_eq!(seal_events(&appended).await.unwrap(), 0);
    assert_eq!((chains_without_key(&appended).await.unwrap(), chains_without_key(&removed).await.unwrap()), (0, 1));
    assert_eq!(report(&removed, tenant).await.status(), Status::Unverifiable);

    // While both kinds of process run, there is one checkpoint, and both extend the chain.
    for process in [&front, &appended, &front, &appended] {
        record_events(&app, tenant, 2).await;
        assert_eq!(seal_events(process).await.unwrap(), 2);
    }
    assert_eq!(audit_anchor::Entity::find().count(app.db()).await.unwrap(), 1);
    for process in [&front, &appended] {
        let report = report(process, tenant).await;
        assert_eq!((report.status(), report.by_checkpoint), (Status::Intact, None));
    }

    assert_eq!(chains_without_key(&removed).await.unwrap(), 0);
    let report = report(&removed, tenant).await;
    assert_eq!((report.status(), report.by_checkpoint, report.events), (Status::Intact, Some(10), 18));
    sql(&app, "UPDATE audit_events SET action = 'test.undone' WHERE sequence = 5").await;
    assert_eq!(finding(&removed, tenant).await, Some(("changed", 10)), "the checkpoint vouches for the older events");
    assert_eq!(finding(&front, tenant).await, Some(("changed", 5)));
    sql(&app, "UPDATE audit_events SET action = 'test.acted' WHERE sequence = 5; DELETE FROM audit_anchors").await;
    assert_eq!(finding(&removed, tenant).await, Some(("anchor_changed", 10)));
}

#[tokio::test]
async fn a_chain_without_new_events_gets_its_checkpoint() {
    let (app, tenant) = sealed().await;
    let front = app.with_secret(&format!("{SECOND},{SECRET}"));
    seal_events(&front).await.unwrap();
    assert_eq!(chains_without_key(&app.with_secret(SECOND)).await.unwrap(), 0);
    assert_eq!(report(&app.with_secret(SECOND), tenant).await.by_checkpoint, Some(10));
    // Going back writes one only after some time, or by the command.
    seal_events(&app.with_secret(&format!("{SECRET},{SECOND}"))).await.unwrap();
    assert_eq!(chains_without_key(&app.with_secret(SECOND)).await.unwrap(), 0);
    assert_eq!(reseal(&app.with_secret(&format!("{SECRET},{SECOND}"))).await.unwrap(), 1);
    assert_eq!(reseal(&app.with_secret(&format!("{SECRET},{SECOND}"))).await.unwrap(), 0);
    assert_eq!(chains_without_key(&app).await.unwrap(), 0);
    assert_eq!(report(&app, tenant).await.status(), Status::Intact);
    assert_eq!(chains_without_key(&app.with_secret(THIRD)).await.unwrap(), 1);
    assert_eq!(seal_events(&app.with_secret(THIRD)).await.unwrap(), 0);
    assert_eq!(reseal(&app.with_secret(THIRD)).await.unwrap(), 0);
}

#[tokio::test]
async fn old_events_are_deleted_from_the_beginning_and_an_anchor_remains() {
    let (app, tenant) = sealed().await;
    app.clock().advance(TimeDelta::days(200));
    record_events(&app, tenant, 3).await;
    seal_events(&app).await.unwrap();
    let head = report(&app, tenant).await.head.unwrap();
    app.clock().advance(TimeDelta::days(200));
    CutAuditLog {}.run(&app).await.unwrap();
    let after = report(&app, tenant).await;
    assert_eq!((after.status(), after.cut_at, after.events, after.head), (Status::Intact, 10, 3, Some(head.clone())));
    let compared = verify(&app, Scope::Tenant(tenant), Some(&head)).await.unwrap();
    assert_eq!(compared[0].status(), Status::Intact);
    let deleted = ChainHead { sequence: 4, mac: head.mac };
    let compared = verify(&app, Scope::Tenant(tenant), Some(&deleted)).await.unwrap();
    assert_eq!(compared[0].status(), Status::Unverifiable);

    app.clock().advance(TimeDelta::days(200));
    CutAuditLog {}.run(&app).await.unwrap();
    let after = report(&app, tenant).await;
    assert_eq!((after.status(), after.cut_at, after.events), (Status::Intact, 13, 0));
    assert_eq!(audit_anchor::Entity::find().count(app.db()).await.unwrap(), 1);
    record_events(&app, tenant, 2).await;
    seal_events(&app).await.unwrap();
    assert_eq!(report(&app, tenant).await.events, 2);
    sql(&app, "UPDATE audit_anchors SET sequence = 14").await;
    assert_eq!(finding(&app, tenant).await, Some(("anchor_changed", 14)));
    sql(&app, "DELETE FROM audit_anchors").await;
    assert_eq!(finding(&app, tenant).await, Some(("removed", 1)));
}

#[tokio::test]
async fn a_cut_survives_a_new_server_key() {
    let (app, tenant) = sealed().await;
    app.clock().advance(TimeDelta::days(300));
    record_events(&app, tenant, 3).await;
    seal_events(&app).await.unwrap();
    app.clock().advance(TimeDelta::days(101));
    CutAuditLog {}.run(&app).await.unwrap();
    reseal(&app.with_secret(&format!("{SECOND},{SECRET}"))).await.unwrap();
    let report = report(&app.with_secret(SECOND), tenant).await;
    assert_eq!((report.status(), report.cut_at, report.by_checkpoint), (Status::Intact, 10, Some(13)));
}

#[tokio::test]
async fn anonymous_callers_lose_their_address_after_90_days() {
    let app = testing::app().await;
    let mut tx = app.begin().await.unwrap();
    record(&mut tx, &Anonymous { context: testing::context() }, Event::failed("session.opened")).await.unwrap();
    tx.commit().await.unwrap();
    seal_events(&app).await.unwrap();
    CutAuditLog {}.run(&app).await.unwrap();
    assert!(events(&app).await[0].ip.is_some());
    app.clock().advance(TimeDelta::days(91));
    CutAuditLog {}.run(&app).await.unwrap();
    let event = events(&app).await.remove(0);
    assert_eq!((event.ip, event.ip_salt, event.user_agent, event.user_agent_salt), (None, None, None, None));
    let report = verify(&app, Scope::Installation, None).await.unwrap().remove(0);
    assert_eq!((report.status(), report.events, report.erased_values), (Status::Intact, 1, 2));
}

#[tokio::test]
async fn a_tenant_sees_only_the_name_that_it_typed() {
    let app = testing::app().await;
    let tenant = app.insert_client().await.tenant_id;
    let user = app.insert_portal_user_once().await;
    let actor = Actor::portal_user(&user, &testing::context());
    assert_eq!(actor.name_for(None), Some("Ann"));
    assert_eq!(actor.name_for(Some(tenant)), None);
    let known = actor.known_to(tenant, "Ann as typed");
    assert_eq!(known.name_for(Some(tenant)), Some("Ann as typed"));
    assert_eq!(known.name_for(Some(TenantId(app.new_id()))), None);
    assert_eq!(known.name_for(None), Some("Ann"));
}
