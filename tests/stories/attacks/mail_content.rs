//! What is in the mails, and what can be smuggled into them.

use serde_json::{Value, json};

use crate::support::{Mail, Person, Deployment, World, eventually, password, stories, unique};

const FORGOT: &str = "/api/portal/auth/forgot-password";

/// Where links begin.
fn public_url(world: &World) -> String {
    if world.apis.len() == 1 { world.apis[0].replace("127.0.0.1", "localhost") } else { "http://localhost:4000".into() }
}

/// A tenant of that name whose owner is signed in.
async fn tenant_named(world: &World, name: &str) -> crate::support::Tenant {
    let tenant = world.tenant().await;
    world.sql(&format!("UPDATE tenants SET name = '{name}' WHERE slug = '{}'", tenant.slug));
    tenant
}

stories! {
    async fn msg_02_a_poisoned_row_never_reaches_the_wire(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let request = |n: u32| format!("01a1fdba-f86f-76f5-b296-{:012x}", u64::from(std::process::id()) * 1_000 + u64::from(n) + 100 * world.apis.len() as u64);
        let victim = format!("{}@x.test", unique("victim"));
        let poisons = ["\r\nBcc: {}", "\r\nRCPT TO:<{}>\r\n", ", {}", "> <{}", "\0{}", " {}", "\r\n\r\n{}"];
        for (n, poison) in (0..).zip(poisons) {
            let poison = poison.replace("{}", &victim);
            let email = format!("{}@x.test", unique("ann"));
            let id = request(n);
            let path = format!("/api/v1/clients/{client}/portal-user");
            let body = Some(json!({ "email": email }).to_string());
            tenant.owner.send(reqwest::Method::POST, &path, body, &[("x-request-id", &id)]).await.expect(201);
            world.mail(&email, 1).await;
            let job = format!("UPDATE background_jobs SET state = 'queued', attempts = 0, pushed_at = NULL, run_at = created_at, finished_at = NULL WHERE request_id = '{id}' AND state = 'done'");
            eventually("the job is done", || async {
                (world.sql(&format!("SELECT state FROM background_jobs WHERE request_id = '{id}'")) == "done").then_some(())
            })
            .await;
            // Neither database takes NUL in a statement's text.
            let poison = poison.replace('\0', "\u{1}");
            let row = format!("FROM emails WHERE message_id = (SELECT message_id FROM emails WHERE recipient = '{email}{poison}')");
            world.sql(&format!("UPDATE emails SET recipient = '{email}{poison}', status = 'queued' WHERE recipient = '{email}'"));
            world.sql(&job);
            eventually("it is given up", || async { (world.sql(&format!("SELECT status {row}")) == "failed").then_some(()) }).await;
            assert_eq!(world.sql(&format!("SELECT detail {row}")), "the recipient is not an address");
            // Once: what can never be sent is not tried again.
            let attempts = format!("SELECT state, attempts FROM background_jobs WHERE request_id = '{id}'");
            eventually("the job is over", || async { (world.sql(&attempts) == "done|1").then_some(()) }).await;
            assert_eq!(world.mails(&email).await.len(), 1, "{poison:?}");
        }
        assert!(world.mails(&victim).await.is_empty());
    }

    async fn msg_02_a_poisoned_name_adds_no_header_and_no_markup(world) {
        let name = "Evil\r\nBcc: bcc@x.test\r\n\r\n<script>alert(1)</script>";
        let tenant = tenant_named(world, name).await;
        let client = tenant.client("Acme Ltd").await;
        let email = format!("{}@x.test", unique("ann"));
        tenant.invite(&client, &email).await;
        let mail = world.mail(&email, 1).await;
        assert!(!mail.subject.contains(['\r', '\n']) && mail.subject.contains("Evil Bcc: bcc@x.test"), "{mail:?}");
        assert!(!mail.html.contains("<script"), "{mail:?}");
        assert!(world.mails("bcc@x.test").await.is_empty());
    }

    async fn msg_03_every_mail_leads_to_our_own_pages_in_the_name_of_one_tenant(world) {
        let (red, green) = (tenant_named(world, "Red Quay").await, tenant_named(world, "Green Pier").await);
        let person = red.person(world).await;
        let second = red.client("Second Ltd").await;
        let resend = world.browser();
        // Where the request says that it went to has no say in where links lead.
        let forged = [("host", "evil.test"), ("x-forwarded-host", "evil.test"), ("forwarded", "host=evil.test"), ("x-forwarded-proto", "https")];
        let body = json!({ "email": person.email }).to_string();
        resend.send(reqwest::Method::POST, FORGOT, Some(body), &forged).await.expect(200);
        let mut theirs = vec![world.mail(&person.email, 2).await];
        let new = password();
        let reset = json!({ "token": theirs[0].token(), "password": new });
        world.browser().post("/api/portal/auth/reset-password", reset).await.expect(200);
        world.mail(&person.email, 3).await;
        red.owner.post(&format!("/api/v1/clients/{second}/portal-user"), json!({ "email": person.email })).await.expect(201);
        world.mail(&person.email, 4).await;
        let person = Person { password: new, ..person };
        let browser = world.browser();
        person.sign_in(&browser).await;
        let copied = browser.cookie("portico_portal_refresh").unwrap();
        for _ in 0..2 {
            browser.call("/api/portal/auth/refresh").await.expect(200);
        }
        let thief = world.browser();
        thief.set_cookie("portico_portal_refresh", &copied);
        thief.call("/api/portal/auth/refresh").await.problem(401, "session_revoked");
        world.mail(&person.email, 5).await;
        theirs = world.mails(&person.email).await;
        world.sign_in_staff(&world.browser(), &red.owner_email, 2).await;
        let codes = vec![world.mail(&red.owner_email, 2).await];
        // All but the first of each, which left before the tenant had its name.
        assert_eq!(theirs.len(), 5);
        for mail in theirs.iter().chain(&codes) {
            assert!(about(mail).contains("Red Quay") && !about(mail).contains("Green Pier"), "{mail:?}");
        }
        // Of several tenants: what is about the person names none of them, an offer only its own.
        let place = green.client("Green Client").await;
        green.invite(&place, &person.email).await;
        let offer = world.mail(&person.email, 6).await;
        assert!(about(&offer).contains("Green Pier") && !about(&offer).contains("Red Quay"), "{offer:?}");
        let browser = world.browser();
        person.sign_in(&browser).await;
        browser.post("/api/portal/invitations/accept", json!({ "token": offer.token() })).await.expect(204);
        person.request_reset(world, 7).await;
        let neutral = world.mail(&person.email, 7).await;
        assert!(!about(&neutral).contains("Green Pier") && !about(&neutral).contains("Red Quay"), "{neutral:?}");

        let own = format!("{}/", public_url(world));
        let mut pages = std::collections::BTreeSet::new();
        for mail in theirs.iter().chain(&codes).chain([&offer, &neutral]) {
            for link in &mail.links {
                assert!(link.starts_with(&own), "{link}");
                pages.insert(link.strip_prefix(&own).unwrap().split('#').next().unwrap().to_owned());
            }
            // Nothing is loaded when the mail is opened.
            for loads in ["src=", "<img", "url(", "@import", "<link", "<iframe"] {
                assert!(!mail.html.contains(loads), "{loads} {mail:?}");
            }
        }
        let all = ["portal", "portal/accept-invitation", "portal/activate", "portal/forgot-password", "portal/reset-password"];
        assert!(pages.iter().all(|page| all.contains(&page.as_str())) && pages.len() >= 3, "{pages:?}");
    }

    async fn msg_04_no_language_leads_to_a_file_or_a_failure(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let path = format!("/api/v1/clients/{client}/portal-user");
        for bad in ["../../etc/passwd", &"x".repeat(10_000), "en/../..", "%2e%2e", "en\n", "<b>"] {
            let body = json!({ "email": "a@x.test", "locale": bad });
            assert_eq!(tenant.owner.post(&path, body).await.bad_fields(), ["/locale"], "{bad:?}");
        }
        tenant.owner.post(&path, json!({ "email": "a@x.test", "locale": "en\u{0}" })).await.problem(400, "malformed_request");
        // A language that nobody has texts for falls back.
        let email = format!("{}@x.test", unique("ann"));
        tenant.owner.post(&path, json!({ "email": email, "locale": "xx-YY" })).await.expect(201);
        assert_eq!(world.mail(&email, 1).await.subject, "Blue Harbour invites you to Acme Ltd");
        for language in ["../../etc/passwd", "xx-YY", "*;q=nonsense", &"de,".repeat(3_000)] {
            let body = json!({ "email": format!("{}@x.test", unique("nobody")) }).to_string();
            world.browser().send(reqwest::Method::POST, FORGOT, Some(body), &[("accept-language", language)]).await.expect(200);
        }
    }
}

/// Everything that a mail says.
fn about(mail: &Mail) -> String {
    format!("{}\n{}\n{}", mail.subject, mail.text, mail.html)
}

#[tokio::test]
async fn msg_05_mails_are_good_citizens_and_a_retry_is_the_same_mail() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let sink = world.sink();
    sink.fail(json!([{ "stage": "after_data", "do": "drop", "times": 1 }])).await;
    world.browser().post(FORGOT, json!({ "email": person.email })).await.expect(200);
    let resets = async || {
        let all = sink.messages(&person.email).await;
        all.into_iter().filter(|mail| mail["subject"].as_str().unwrap().contains("password")).collect::<Vec<Value>>()
    };
    let twice = eventually("it came twice", || async { Some(resets().await).filter(|resets| resets.len() == 2) }).await;
    assert_eq!(
        (&twice[0]["message_id"], &twice[0]["text"]),
        (&twice[1]["message_id"], &twice[1]["text"]),
        "the same mail"
    );
    let mut ids = std::collections::BTreeSet::new();
    for mail in sink.messages(&person.email).await.iter().chain(&sink.messages(&tenant.owner_email).await) {
        let headers = &mail["headers"];
        let header = |name: &str| headers[name].as_str().unwrap_or_else(|| panic!("{name}: {headers}")).to_owned();
        assert_eq!(header("auto-submitted"), "auto-generated");
        assert_eq!(header("from"), "Portal <portal@portico.test>");
        assert_eq!(header("mime-version"), "1.0");
        assert!(header("content-type").starts_with("multipart/alternative;"), "{headers}");
        assert!(header("date").ends_with("+0000"), "{headers}");
        assert!(header("message-id").ends_with("@portico.test>"), "{headers}");
        assert!(mail["text"].as_str().is_some_and(|text| !text.is_empty()) && mail["html"].is_string());
        ids.insert(header("message-id"));
        // The secret is in the body alone.
        let parsed = Mail::from(mail);
        let token = parsed.links.iter().filter_map(|link| link.split_once("#token=")).map(|(_, token)| token);
        for secret in token.chain(parsed.code.as_deref()) {
            assert!(!headers.to_string().contains(secret), "{headers}");
        }
    }
    assert_eq!(ids.len(), 3, "an id each: activation, reset, code");
}
