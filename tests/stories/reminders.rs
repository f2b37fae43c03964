//! Reminders of invitations that were not accepted yet.

use serde_json::json;

use crate::support::{Deployment, Tenant, World, password, paths, unique_email};

const BOTH: [Deployment; 2] = [Deployment::Single, Deployment::Cluster];

/// Sets how many hours of its 72 an invitation has left.
fn set_hours_left(world: &World, email: &str, hours: u32) {
    let expires_at = if world.setting("DATABASE_URL").starts_with("sqlite:") {
        format!("strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now', '+{hours} hours')")
    } else {
        format!("now() + interval '{hours} hours'")
    };
    world.sql(&format!("UPDATE invitations SET expires_at = {expires_at} WHERE email = '{email}'"));
}

/// Runs the job once more, and waits until it has run.
async fn run_job(world: &World) {
    let job = "name = 'remind_invited'";
    let state = format!("SELECT DISTINCT state FROM background_jobs WHERE {job}");
    world.wait_for_sql("the job has run", &state, "done").await;
    world.sql(&format!("UPDATE background_jobs SET state = 'dead' WHERE {job}"));
    world.run(&["jobs", "retry", "--all"]);
    world.wait_for_sql("the job has run again", &state, "done").await;
}

/// Starts a world that reminds, with a tenant and a client.
async fn start(deployment: Deployment) -> (World, Tenant, String) {
    let world = World::start(deployment, &[("PORTICO_INVITE_REMINDERS", "on")]).await;
    let tenant = world.tenant().await;
    let client = tenant.client("Acme Ltd").await;
    (world, tenant, client)
}

/// How many reminders of an address are in the outbox.
fn reminders(world: &World, email: &str) -> usize {
    world.count(&format!("SELECT count(*) FROM emails WHERE kind = 'invitation_reminder' AND recipient = '{email}'"))
}

/// Invites a new address and waits until the mail was sent.
async fn invited(world: &World, tenant: &Tenant, client: &str) -> String {
    let email = unique_email("ann");
    tenant.invite_for_token(world, client, &email).await;
    let sent = format!("SELECT status FROM emails WHERE recipient = '{email}'");
    world.wait_for_sql("the mail is sent", &sent, "sent").await;
    email
}

#[tokio::test]
async fn an_invited_person_is_reminded_at_half_and_at_nine_tenths_of_the_time() {
    for deployment in BOTH {
        let (world, tenant, client) = start(deployment).await;
        let email = invited(&world, &tenant, &client).await;
        let first = world.mail(&email, 1).await.token();
        for (hours, mails) in [(37, 1), (35, 2), (30, 2), (8, 2), (7, 3), (1, 3)] {
            set_hours_left(&world, &email, hours);
            run_job(&world).await;
            assert_eq!(reminders(&world, &email) + 1, mails, "{hours} hours left");
            world.mail(&email, mails).await;
            let sent = format!("SELECT count(*) FROM emails WHERE recipient = '{email}' AND status <> 'sent'");
            world.wait_for_sql("the mails are sent", &sent, "0").await;
        }
        let reminder = world.mail(&email, 3).await;
        assert_eq!(reminder.subject, "Reminder: Blue Harbour invites you to Acme Ltd");
        assert!(reminder.text.contains("The invitation expires on "), "{}", reminder.text);
        let item = tenant.owner.get(&paths::invitations(&client)).await.expect(200)["data"][0].clone();
        assert_eq!((&item["sent_count"], &item["delivery"]["status"]), (&json!(1), &json!("sent")));
        // A reminder revokes no link.
        world.browser().check_token(&first).await.expect(200);
        world.browser().activate(&reminder.token(), &password()).await.expect(200);
        let events =
            "SELECT count(*) FROM audit_events WHERE action = 'invitation.reminded' AND actor_realm = 'system'";
        assert_eq!(world.count(events), 2);
    }
}

#[tokio::test]
async fn after_a_downtime_only_the_latest_reminder_is_sent_and_a_resend_starts_again() {
    for deployment in BOTH {
        let (world, tenant, client) = start(deployment).await;
        let email = invited(&world, &tenant, &client).await;
        set_hours_left(&world, &email, 5);
        run_job(&world).await;
        run_job(&world).await;
        assert_eq!(reminders(&world, &email), 1);
        world.mail(&email, 2).await;
        tenant.owner.post(&paths::resend_invitation(&client), json!({ "email": email })).await.expect(200);
        world.mail(&email, 3).await;
        let sent = format!("SELECT count(*) FROM emails WHERE recipient = '{email}' AND status <> 'sent'");
        world.wait_for_sql("the mails are sent", &sent, "0").await;
        set_hours_left(&world, &email, 20);
        run_job(&world).await;
        assert_eq!(reminders(&world, &email), 2);
    }
}

#[tokio::test]
async fn no_person_is_reminded_who_has_joined_or_cannot_join() {
    for deployment in BOTH {
        let (world, tenant, client) = start(deployment).await;
        let archived = tenant.client("Archived Ltd").await;
        let mut emails = Vec::new();
        for client in [&client, &client, &client, &archived] {
            emails.push(invited(&world, &tenant, client).await);
        }
        let [accepted, cancelled, failed, at_archived] = &emails[..] else { panic!() };
        world.browser().activate(&world.mail(accepted, 1).await.token(), &password()).await.expect(200);
        let found = tenant.owner.get(&format!("{}?q={cancelled}", paths::INVITATIONS)).await.expect(200);
        let path = paths::invitation(&client, found["data"][0]["id"].as_str().unwrap());
        tenant.owner.send(reqwest::Method::DELETE, &path, None, &[]).await.expect(204);
        world.sql(&format!("UPDATE emails SET status = 'failed' WHERE recipient = '{failed}'"));
        let archive = json!({ "status": "archived" });
        tenant.owner.patch(&paths::client(&archived), archive).await.expect(200);
        for email in [accepted, cancelled, failed, at_archived] {
            set_hours_left(&world, email, 10);
        }
        run_job(&world).await;
        assert_eq!(world.count("SELECT count(*) FROM emails WHERE kind = 'invitation_reminder'"), 0);
        let other = invited(&world, &tenant, &client).await;
        set_hours_left(&world, &other, 10);
        world.run(&["tenant", "suspend", "--slug", &tenant.slug]);
        run_job(&world).await;
        assert_eq!(reminders(&world, &other), 0);
        world.run(&["tenant", "restore", "--slug", &tenant.slug]);
        run_job(&world).await;
        assert_eq!(reminders(&world, &other), 1);
    }
}

#[tokio::test]
async fn no_person_is_reminded_while_reminders_are_off() {
    let world = World::start(Deployment::Single, &[]).await;
    let tenant = world.tenant().await;
    let client = tenant.client("Acme Ltd").await;
    let email = invited(&world, &tenant, &client).await;
    set_hours_left(&world, &email, 10);
    run_job(&world).await;
    assert_eq!(reminders(&world, &email), 0);
}
