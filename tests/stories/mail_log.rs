//! The mail log of a tenant, sending failed mails again, and what operators see of mails.

use serde_json::{Value, json};

use crate::{
    mail_server::{BOTH, Office},
    support::{
        Browser, Scrape, Tenant, World, password,
        paths::{self, EMAILS, RETRY_EMAILS},
        reply, stories, unique_email,
    },
};

/// The id of no mail.
const UNKNOWN: &str = "01a1fdba-f86f-76f5-b296-4e548b3691ab";

/// Returns the mails that the mail log shows for a query such as `?status=failed`.
async fn log(staff: &Browser, query: &str) -> Vec<Value> {
    let page = staff.get(&format!("{EMAILS}{query}")).await.expect(200);
    page["data"].as_array().unwrap().clone()
}

/// Returns the only mail that the mail log shows for this address.
async fn mail_to(staff: &Browser, email: &str) -> Value {
    let [mail] = log(staff, &format!("?recipient={email}")).await.try_into().unwrap();
    mail
}

/// Returns the path that sends this mail again.
fn retry(mail: &Value) -> String {
    paths::retry_email(mail["id"].as_str().unwrap())
}

/// Marks the mails to this address as failed, after they have arrived.
fn fail(world: &World, email: &str, reason: &str) {
    world.sql(&format!(
        "UPDATE emails SET status = 'failed', reason = '{reason}', detail = '451 relay.internal is busy' \
         WHERE recipient = '{email}'"
    ));
}

/// Invites a new address whose mail then counts as failed. Returns the address.
async fn failed_invitation(world: &World, tenant: &Tenant) -> String {
    let email = tenant.create_invitation(world).await.email;
    fail(world, &email, "gave_up");
    email
}

/// Adds a staff user with this role, who is signed in.
async fn staff(world: &World, tenant: &Tenant, role: &str) -> Browser {
    let (browser, email) = (world.browser(), format!("{role}@{}.test", tenant.slug));
    world.add_staff(&tenant.slug, &email, role);
    world.sign_in_staff(&browser, &email, 1).await;
    browser
}

#[tokio::test]
async fn a_refused_mail_is_shown_and_arrives_with_a_fresh_link_when_it_is_sent_again() {
    for deployment in BOTH {
        let Office { world, server, tenant, client } = Office::open(deployment, "").await;
        let owner = &tenant.owner;
        for (at, line, reason, is_shown) in [
            ("RCPT", "550 5.1.1 no such user", "recipient_refused", true),
            ("RCPT", "552 5.2.2 mailbox full", "recipient_refused", true),
            ("dot", "554 5.6.0 refused by relay.internal", "message_refused", false),
        ] {
            server.answer(at, reply(line));
            let email = unique_email("ann");
            tenant.invite(&client, &email).await;
            let failed = format!("SELECT count(*) FROM emails WHERE recipient = '{email}' AND status = 'failed'");
            world.wait_for_sql("the mail has failed", &failed, "1").await;
            let mail = mail_to(owner, &email).await;
            assert_eq!((&mail["status"], &mail["reason"]), (&json!("failed"), &json!(reason)));
            assert_eq!(mail["detail"].as_str().unwrap().contains(line), is_shown, "{mail}");
            let id = mail["id"].as_str().unwrap();
            let warned = world.logs().into_iter().find(|line| line.contains("given up") && line.contains(id)).unwrap();
            assert!(warned.contains("WARN") && warned.contains(reason) && !warned.contains(&email), "{warned}");
            let words = world.run(&["mail", "log", "--to", &email]);
            assert!(words.contains(line) && words.contains(&format!("failed ({reason})")), "{words}");

            server.heal();
            let new = owner.post_empty(&retry(&mail)).await.expect(201);
            assert_eq!((&new["status"], &new["kind"]), (&json!("queued"), &json!("invitation")));
            // A server that has refused the text has received the link of the refused mail.
            let mails = server.wait_for(&email, if at == "dot" { 2 } else { 1 }).await;
            let token = mails.last().unwrap().token();
            if let [refused, sent] = &mails[..] {
                assert_ne!((&refused.message_id, refused.token()), (&sent.message_id, token.clone()));
            }
            world.browser().activate(&token, &password()).await.expect(200);
            for refused in &mails[..mails.len() - 1] {
                world.browser().check_token(&refused.token()).await.assert_problem("410 token_revoked");
            }
            owner.post_empty(&retry(&mail)).await.assert_problem("409 conflict");
            let [_, old] = log(owner, &format!("?recipient={email}")).await.try_into().unwrap();
            assert_eq!(old["retried_by"], new["id"]);
        }
        let failed = Scrape::of(&world.internals().await).await.sum("portico_mails_total", &[("outcome", "failed")]);
        assert_eq!(failed, 3.0);
    }
}

stories! {
    async fn the_mail_log_is_filtered_by_recipient_kind_status_and_time(world) {
        let tenant = world.tenant().await;
        let (ann, bob) = (tenant.create_invitation(world).await, tenant.person(world).await);
        let other = tenant.client("Second Ltd").await;
        tenant.invite(&other, &bob.email).await;
        world.mail(&bob.email, 2).await;
        fail(world, &ann.email, "gave_up");
        let assert_found = async |query: &str, expected: &[&String]| {
            let mails = log(&tenant.owner, query).await;
            let text = |mail: &Value, field: &str| mail[field].as_str().unwrap().to_owned();
            let found: Vec<_> =
                mails.iter().map(|mail| format!("{} {}", text(mail, "kind"), text(mail, "recipient"))).collect();
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
        };
        let (ann_invited, bob_invited) = (format!("invitation {}", ann.email), format!("invitation {}", bob.email));
        let bob_noticed = format!("access_notice {}", bob.email);
        let owner_added = format!("staff_invitation {}", tenant.owner_email);
        assert_found("", &[&bob_noticed, &bob_invited, &ann_invited, &owner_added]).await;
        assert_found("?kind=access_notice", &[&bob_noticed]).await;
        assert_found("?status=failed", &[&ann_invited]).await;
        assert_found("?status=sent&kind=invitation", &[&bob_invited]).await;
        assert_found(&format!("?recipient=%20{}", ann.email.to_uppercase()), &[&ann_invited]).await;
        assert_found("?recipient=unknown@x.test", &[]).await;

        let [_, second, first, _] = log(&tenant.owner, "").await.try_into().unwrap();
        let at = second["created_at"].as_str().unwrap().replace('+', "%2B");
        assert_found(&format!("?from={at}"), &[&bob_noticed, &bob_invited]).await;
        assert_found(&format!("?to={at}"), &[&ann_invited, &owner_added]).await;
        assert_found(&format!("?from={at}&to={at}"), &[]).await;
        assert_found("?to=2020-01-01T00:00:00%2B02:00", &[]).await;
        assert!(!first["detail"].as_str().unwrap().contains("relay.internal"), "{first}");
    }

    async fn the_mail_log_is_read_in_pages_and_mails_that_come_later_do_not_disturb(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let emails: Vec<_> = (0..5).map(|_| unique_email("ann")).collect();
        for email in &emails {
            tenant.invite(&client, email).await;
        }
        let (mut found, mut query) = (Vec::new(), "?limit=2".to_owned());
        loop {
            let page = tenant.owner.get(&format!("{EMAILS}{query}")).await.expect(200);
            found.extend(page["data"].as_array().unwrap().iter().map(|mail| mail["recipient"].clone()));
            tenant.invite(&client, &unique_email("later")).await;
            let Some(next) = page["next_cursor"].as_str() else { break };
            query = format!("?limit=2&cursor={next}");
        }
        let expected = emails.iter().rev().chain([&tenant.owner_email]);
        assert_eq!(found, expected.map(|email| json!(email)).collect::<Vec<_>>());
    }

    async fn a_wrong_filter_of_the_mail_log_is_refused(world) {
        let owner = world.tenant().await.owner;
        for query in [
            "status=gone", "status=", "kind=letter", "recipient=x", "from=yesterday", "to=2026-13-01T00:00:00Z",
            "from=2026-11-26", "to=2026-11-26T12:00:00", "from=2026-11-26T12:00:00+02:00", "cursor=x", "limit=0",
            "limit=101", "q=ann",
        ] {
            let response = owner.get(&format!("{EMAILS}?{query}")).await;
            assert_eq!(response.status, 422, "{query}");
        }
        let response = owner.get(&format!("{EMAILS}?from=now")).await;
        let problem = response.assert_problem("422 validation_failed: /from invalid");
        assert!(problem["detail"].as_str().unwrap().starts_with("/from must be a time (RFC 3339)"), "{problem}");
        let body = json!({ "kind": "letter", "recipient": "x", "from": "now", "to": 5, "status": "failed" });
        owner.post(RETRY_EMAILS, body).await.assert_problem(
            "422 validation_failed: /from time_invalid, /kind invalid, /recipient email_invalid, \
             /status unknown_field, /to invalid",
        );
    }

    async fn personal_mail_is_in_no_mail_log_and_operators_see_it(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        person.request_reset(world, 2).await;
        let kinds = |mails: Vec<Value>| mails.iter().map(|mail| mail["kind"].clone()).collect::<Vec<_>>();
        assert_eq!(kinds(log(&tenant.owner, &format!("?recipient={}", person.email)).await), ["invitation"]);
        assert_eq!(kinds(log(&tenant.owner, "?kind=reset").await), [""; 0]);
        let reset = format!("SELECT count(*) FROM emails WHERE recipient = '{}' AND status = 'sent'", person.email);
        world.wait_for_sql("the reset is sent", &reset, "2").await;
        let list = world.run(&["mail", "log", "--to", &person.email.to_uppercase(), "--json"]);
        let mails: Vec<Value> = serde_json::from_str(&list).unwrap();
        assert_eq!(kinds(mails.clone()), ["reset", "invitation"]);
        assert!(mails[0]["tenant_id"].is_null() && mails[0]["status"] == "sent" && mails[1]["tenant_id"].is_string());
        let none = world.run(&["mail", "log", "--to", &person.email, "--status", "failed"]);
        assert_eq!(none.trim(), "No mails match.");
        let jobs = world.run(&["jobs", "list", "--name", "send_mail", "--limit", "10000"]);
        assert!(jobs.contains(&format!("reset to {}: sent", person.email)), "{jobs}");
    }

    async fn other_tenants_and_viewers_cannot_send_mail_again(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let email = failed_invitation(world, &tenant).await;
        let viewer = staff(world, &tenant, "viewer").await;
        let mail = mail_to(&viewer, &email).await;
        assert_eq!(log(&other.owner, "?kind=invitation").await, [Value::Null; 0]);
        assert_eq!(log(&other.owner, &format!("?recipient={email}")).await, [Value::Null; 0]);
        let foreign = other.owner.post_empty(&retry(&mail)).await.assert_problem("404 not_found");
        let unknown = other.owner.post_empty(&paths::retry_email(UNKNOWN)).await.assert_problem("404 not_found");
        assert_eq!(foreign["detail"], unknown["detail"]);
        tenant.owner.post_empty(&paths::retry_email("x")).await.assert_problem("404 not_found");
        let none = other.owner.post(RETRY_EMAILS, json!({ "recipient": email })).await.expect(202);
        assert_eq!(none, json!({ "retried": 0, "skipped": 0 }));
        viewer.post_empty(&retry(&mail)).await.assert_problem("403 forbidden");
        viewer.post(RETRY_EMAILS, json!({})).await.assert_problem("403 forbidden");
        let person = tenant.person(world).await;
        person.browser.get(EMAILS).await.assert_problem("401 unauthenticated");
        assert_eq!(mail_to(&tenant.owner, &email).await, mail);
        let support = staff(world, &tenant, "support").await;
        support.post_empty(&retry(&mail)).await.expect(201);
        world.mail(&email, 2).await;
    }

    async fn of_concurrent_retries_of_a_mail_one_sends_it(world) {
        let tenant = world.tenant().await;
        for _ in 0..3 {
            let email = failed_invitation(world, &tenant).await;
            let path = retry(&mail_to(&tenant.owner, &email).await);
            let send = || tenant.owner.post_empty(&path);
            let all = async || tenant.owner.post(RETRY_EMAILS, json!({ "recipient": email })).await;
            let (a, b, c, d) = tokio::join!(send(), send(), send(), all());
            let retried = d.expect(202)["retried"].as_u64().unwrap();
            let created = [a, b, c].iter().filter(|response| response.status == 201).count() as u64;
            assert_eq!(retried + created, 1);
            assert_eq!(log(&tenant.owner, &format!("?recipient={email}")).await.len(), 2);
            world.mail(&email, 2).await;
        }
    }

    async fn a_mail_that_has_not_failed_or_makes_no_sense_any_more_is_not_sent_again(world) {
        let tenant = world.tenant().await;
        let owner = &tenant.owner;
        let sent = tenant.create_invitation(world).await.email;
        let refused = async |email: &str| {
            owner.post_empty(&retry(log(owner, &format!("?recipient={email}")).await.last().unwrap())).await
                .assert_problem("409 conflict");
        };
        refused(&sent).await;

        let accepted = tenant.person(world).await.email;
        fail(world, &accepted, "gave_up");
        refused(&accepted).await;

        let resent = tenant.create_invitation(world).await;
        fail(world, &resent.email, "gave_up");
        owner.post(&paths::resend_invitation(&resent.client), json!({ "email": resent.email })).await.expect(200);
        refused(&resent.email).await;

        let expired = failed_invitation(world, &tenant).await;
        world.sql(&format!("UPDATE invitations SET expires_at = created_at WHERE email = '{expired}'"));
        refused(&expired).await;
        world.sql(&format!("UPDATE invitations SET status = 'cancelled' WHERE email = '{expired}'"));
        refused(&expired).await;

        let archived = tenant.create_invitation(world).await;
        fail(world, &archived.email, "gave_up");
        owner.patch(&paths::client(&archived.client), json!({ "status": "archived" })).await.expect(200);
        refused(&archived.email).await;

        let skipped = owner.post(RETRY_EMAILS, json!({ "kind": "invitation" })).await.expect(202);
        assert_eq!(skipped, json!({ "retried": 0, "skipped": 4 }));
    }

    async fn failed_mails_are_sent_again_by_filter(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let foreign = failed_invitation(world, &other).await;
        let mut emails = Vec::new();
        for _ in 0..4 {
            emails.push(failed_invitation(world, &tenant).await);
        }
        fail(world, &emails[3], "outcome_unknown");
        let retry_all = async |body: Value| tenant.owner.post(RETRY_EMAILS, body).await.expect(202);
        let counts = |retried: u32| json!({ "retried": retried, "skipped": 0 });
        assert_eq!(retry_all(json!({ "kind": "access_notice" })).await, counts(0));
        assert_eq!(retry_all(json!({ "to": "2020-01-01T00:00:00Z" })).await, counts(0));
        assert_eq!(retry_all(json!({ "recipient": emails[0].to_uppercase() })).await, counts(1));
        let third = log(&tenant.owner, "?status=failed").await.remove(1);
        assert_eq!(retry_all(json!({ "from": third["created_at"], "kind": null })).await, counts(1));
        assert_eq!(retry_all(json!({})).await, counts(1));
        assert_eq!(retry_all(json!({})).await, counts(0));
        for email in &emails[..3] {
            let token = world.mail(email, 2).await.token();
            world.browser().activate(&token, &password()).await.expect(200);
        }
        // It may have arrived, so it is sent again only on its own.
        let unknown = mail_to(&tenant.owner, &emails[3]).await;
        tenant.owner.post_empty(&retry(&unknown)).await.expect(201);
        world.mail(&emails[3], 2).await;
        assert_eq!(mail_to(&other.owner, &foreign).await["retried_by"], Value::Null);
    }

    async fn a_mail_that_is_sent_again_has_the_expiry_of_its_invitation(world) {
        let tenant = world.tenant().await;
        let email = failed_invitation(world, &tenant).await;
        let older = world.mail(&email, 1).await.token();
        let mail = mail_to(&tenant.owner, &email).await;
        tenant.owner.post_empty(&retry(&mail)).await.expect(201);
        let token = world.mail(&email, 2).await.token();
        let link = world.browser().check_token(&token).await.expect(200);
        let older = world.browser().check_token(&older).await.expect(200);
        assert_eq!(link["expires_at"], older["expires_at"]);

        let operator = failed_invitation(world, &tenant).await;
        assert!(world.run(&["mail", "retry", "--all", "--to", &operator]).starts_with("Sent 1 mail again, skipped 0."));
        let by_operator = "SELECT count(*) FROM audit_events WHERE action = 'email.retried' AND actor_realm = 'system'";
        assert!(world.count(by_operator) > 0);
        world.mail(&operator, 2).await;
    }
}
