//! The figures of a tenant: what became of its invitations, and how its mail is delivered.

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    Browser, Tenant, World,
    paths::{self, OVERVIEW},
    stories, unique_email,
};

/// The figures of the default range.
async fn overview(staff: &Browser) -> Value {
    staff.get(OVERVIEW).await.expect(200)
}

/// The numbers of a day of the figures: invited, delivered, activated and signed in.
fn numbers(day: &Value) -> [u64; 4] {
    ["invited", "delivered", "activated", "signed_in"].map(|name| day[name].as_u64().unwrap())
}

/// The numbers of the last day, which is today unless the range says otherwise.
fn last(figures: &Value) -> [u64; 4] {
    numbers(figures["funnel"].as_array().unwrap().last().unwrap())
}

/// Invites a new address to a client as if it were the beginning of another day. The id has that time too.
async fn invited_on(world: &World, tenant: &Tenant, client: &str, day: &str) {
    let email = unique_email("ann");
    let invitation = tenant.invite(client, &email).await["invitation"]["id"].as_str().unwrap().to_owned();
    sent(world, &email, 1).await;
    let time: DateTime<Utc> = format!("{day}T00:00:00Z").parse().unwrap();
    let hex = format!("{:012x}", time.timestamp_millis());
    let moved = format!("{}-{}{}", &hex[..8], &hex[8..], &invitation[13..]);
    let (old, new) = (world.sql_id(&invitation), world.sql_id(&moved));
    for table in ["link_tokens", "emails"] {
        world.sql(&format!("UPDATE {table} SET invitation_id = NULL WHERE invitation_id = {old}"));
    }
    world.sql(&format!("UPDATE invitations SET created_at = '{day}T00:00:00+00:00', id = {new} WHERE id = {old}"));
}

/// Waits until so many mails to an address count as sent.
async fn sent(world: &World, email: &str, count: usize) {
    let sql = format!("SELECT count(*) FROM emails WHERE recipient = '{email}' AND status = 'sent'");
    world.wait_for_sql("the mails count as sent", &sql, &count.to_string()).await;
}

/// Marks the mails to an address as failed for a reason.
fn fail(world: &World, email: &str, reason: &str) {
    world.sql(&format!("UPDATE emails SET status = 'failed', reason = '{reason}' WHERE recipient = '{email}'"));
}

/// Invites a new address to a client and returns it, after its mail counts as sent.
async fn invited(world: &World, tenant: &Tenant, client: &str) -> String {
    let email = unique_email("ann");
    tenant.invite(client, &email).await;
    sent(world, &email, 1).await;
    email
}

/// Waits until all mails of the tenant count as sent or failed.
async fn no_mail_waits(world: &World, tenant: &Tenant) {
    let waiting = format!(
        "SELECT count(*) FROM emails e JOIN tenants t ON t.id = e.tenant_id \
         WHERE t.slug = '{}' AND e.status = 'queued'",
        tenant.slug
    );
    world.wait_for_sql("no mail of the tenant waits", &waiting, "0").await;
}

stories! {
    async fn the_funnel_shows_how_far_the_invitations_of_a_day_have_come(world) {
        let tenant = world.tenant().await;
        no_mail_waits(world, &tenant).await;
        let empty = overview(&tenant.owner).await;
        let days = empty["funnel"].as_array().unwrap();
        assert!(days.len() == 30 && days.iter().all(|day| numbers(day) == [0; 4]), "{empty}");
        assert_eq!((&empty["failed_mail"], &empty["oldest_queued_seconds"]), (&json!([]), &json!(null)));

        let client = tenant.client("Acme Ltd").await;
        let undelivered = invited(world, &tenant, &client).await;
        fail(world, &undelivered, "recipient_refused");
        let cancelled = invited(world, &tenant, &client).await;
        let person = tenant.person_at(world, &client).await;
        // The activation has opened a session. Without one, the person has not signed in.
        tenant.invite(&tenant.client("Second Ltd").await, &person.email).await;
        sent(world, &person.email, 2).await;
        assert_eq!(last(&overview(&tenant.owner).await), [4, 3, 2, 1]);

        let list = tenant.owner.get(&format!("{}?q={cancelled}", paths::INVITATIONS)).await.expect(200);
        let id = list["data"][0]["id"].as_str().unwrap();
        tenant.owner.delete(&paths::invitation(&client, id)).await.expect(204);
        world.sql(&format!("DELETE FROM emails WHERE recipient = '{}'", person.email));
        // The mail of the access notice is not known any more. That of the accepted link must have been delivered.
        assert_eq!(last(&overview(&tenant.owner).await), [4, 2, 2, 1]);
    }

    async fn each_day_of_the_range_has_its_own_numbers(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        for (day, count) in [("2026-02-27", 1), ("2026-02-28", 2), ("2026-03-01", 3), ("2026-03-02", 1)] {
            for _ in 0..count {
                invited_on(world, &tenant, &client, day).await;
            }
        }
        let figures = tenant.owner.get(&format!("{OVERVIEW}?from=2026-02-28&to=2026-03-01")).await.expect(200);
        let days: Vec<_> = figures["funnel"].as_array().unwrap().iter().map(|day| (&day["day"], numbers(day)[0])).collect();
        assert_eq!(days, [(&json!("2026-02-28"), 2), (&json!("2026-03-01"), 3)]);
        let one = tenant.owner.get(&format!("{OVERVIEW}?to=2026-02-27")).await.expect(200);
        assert_eq!((one["funnel"][0]["day"].as_str(), last(&one)[0]), (Some("2026-01-29"), 1));
    }

    async fn ranges_are_checked(world) {
        let owner = world.tenant().await.owner;
        let year = owner.get(&format!("{OVERVIEW}?from=2024-01-01&to=2024-12-31")).await.expect(200);
        assert_eq!(year["funnel"].as_array().unwrap().len(), 366);
        for (query, problem) in [
            ("from=2026-03-02&to=2026-03-01", "/from range_invalid"),
            ("from=2024-01-01&to=2025-01-01", "/from range_invalid"),
            ("from=9999-12-31", "/from range_invalid"),
            ("from=0000-01-01&to=9999-12-31", "/from range_invalid"),
            ("from=2026-02-30", "/from invalid"),
            ("to=2026-03-01T00:00:00Z", "/to invalid"),
            ("to=", "/to invalid"),
        ] {
            let refused = owner.get(&format!("{OVERVIEW}?{query}")).await;
            refused.assert_problem(&format!("422 validation_failed: {problem}"));
        }
        for edge in ["from=9999-12-31&to=9999-12-31", "to=0000-01-01", "from=0000-01-01&to=0000-01-01"] {
            owner.get(&format!("{OVERVIEW}?{edge}")).await.expect(200);
        }
    }

    async fn failed_mail_is_counted_by_reason_and_waiting_mail_by_age(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        for reason in ["gave_up", "recipient_refused", "gave_up", "a new one"] {
            let email = invited(world, &tenant, &client).await;
            fail(world, &email, reason);
        }
        let waiting = invited(world, &tenant, &client).await;
        no_mail_waits(world, &tenant).await;
        world.sql(&format!(
            "UPDATE emails SET status = 'queued', created_at = '2026-01-01T00:00:00+00:00' WHERE recipient = '{waiting}'"
        ));
        let figures = overview(&tenant.owner).await;
        let expected = [("gave_up", 2), ("other", 1), ("recipient_refused", 1)]
            .map(|(reason, count)| json!({ "reason": reason, "count": count }));
        let mut found = figures["failed_mail"].as_array().unwrap().clone();
        assert_eq!(found[0], expected[0]);
        found.sort_by_key(|failed| failed["reason"].as_str().unwrap().to_owned());
        assert_eq!(found, expected);
        let listed = tenant.owner.get(&format!("{}?status=failed", paths::EMAILS)).await.expect(200);
        assert_eq!(listed["data"].as_array().unwrap().len(), 4);
        assert!(figures["oldest_queued_seconds"].as_u64().unwrap() > 24 * 3600, "{figures}");
    }

    // A process makes one overview of a tenant at a time. A few more wait.
    async fn several_overviews_of_a_tenant_at_the_same_time_are_all_answered(world) {
        let tenant = world.tenant().await;
        let staff: Vec<_> = (0..5).map(|_| tenant.owner.on_new_network()).collect();
        let answers = join_all(staff.iter().map(|staff| staff.get(OVERVIEW))).await;
        assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    }

    async fn az_08_the_figures_are_those_of_the_own_tenant(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let person = other.person(world).await;
        let lost = invited(world, &other, &person.client).await;
        fail(world, &lost, "gave_up");
        // Recovery mail belongs to no tenant, also if it fails or waits.
        person.request_reset(world, 2).await;
        let own = tenant.client("Acme Ltd").await;
        // Looks new here, and has a mail that belongs to this tenant.
        tenant.invite(&own, &person.email).await;
        world.mail(&person.email, 3).await;
        world.sql(&format!(
            "UPDATE emails SET status = 'failed', reason = 'gave_up' WHERE recipient = '{}' AND kind = 'reset'",
            person.email
        ));
        let figures = overview(&tenant.owner).await;
        let [invited, _, activated, signed_in] = last(&figures);
        assert_eq!(([invited, activated, signed_in], &figures["failed_mail"]), ([1, 0, 0], &json!([])));
        let figures = overview(&other.owner).await;
        let [invited, _, activated, signed_in] = last(&figures);
        assert_eq!([invited, activated, signed_in], [2, 1, 1]);
        assert_eq!(figures["failed_mail"], json!([{ "reason": "gave_up", "count": 1 }]));
    }
}
