//! MSG cases: what the mails contain, and what an attacker cannot put into them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{public_url, request_id};
use crate::support::{
    Deployment, Mail, Person, Tenant, World, cookies, eventually, password,
    paths::{self, FORGOT_PASSWORD, portal_user},
    stories, unique_email,
};

/// What an attacker appends to an address to add the recipient `{}`. U+0001 stands for NUL, which no SQL text can hold.
const INJECTIONS: [&str; 7] = ["\r\nBcc: {}", "\r\nRCPT TO:<{}>\r\n", ", {}", "> <{}", "\u{1}{}", " {}", "\r\n\r\n{}"];

/// Headers that claim another public address.
const FORGED_HOST: [(&str, &str); 4] = [
    ("host", "evil.test"),
    ("x-forwarded-host", "evil.test"),
    ("forwarded", "host=evil.test"),
    ("x-forwarded-proto", "https"),
];

/// The pages that mails link to.
const PAGES: [&str; 7] = [
    "console/sign-in",
    "portal",
    "portal/accept-invitation",
    "portal/activate",
    "portal/forgot-password",
    "portal/not-me",
    "portal/reset-password",
];

/// Parts of an HTML text that make a mail reader load something.
const LOADING_MARKUP: [&str; 6] = ["src=", "<img", "url(", "@import", "<link", "<iframe"];

/// Creates a tenant of this name whose owner is signed in.
async fn tenant_named(world: &World, name: &str) -> Tenant {
    let tenant = world.tenant().await;
    world.sql(&format!("UPDATE tenants SET name = '{name}' WHERE slug = '{}'", tenant.slug));
    tenant
}

/// Returns subject, text and HTML of a mail.
fn content(mail: &Mail) -> String {
    format!("{}\n{}\n{}", mail.subject, mail.text, mail.html)
}

#[track_caller]
fn assert_names(mail: &Mail, tenant: &str, other_tenant: &str) {
    assert!(content(mail).contains(tenant) && !content(mail).contains(other_tenant), "{mail:?}");
}

/// Invites a new address by a request with this id, and waits until its mail is delivered and its job is done.
async fn delivered_invitation(world: &World, tenant: &Tenant, request_id: &str) -> String {
    let (client, email) = (tenant.client("Acme Ltd").await, unique_email("ann"));
    let headers = [("x-request-id", request_id)];
    let body = json!({ "email": email });
    tenant.owner.post_with_headers(&portal_user(&client), body, &headers).await.expect(201);
    world.mail(&email, 1).await;
    let state = format!("SELECT state FROM background_jobs WHERE request_id = '{request_id}'");
    world.wait_for_sql("the job is done", &state, "done").await;
    email
}

/// Changes the recipient of a delivered mail in the database and queues its job again.
fn requeue_to(world: &World, email: &str, recipient: &str, request_id: &str) {
    world.sql(&format!("UPDATE emails SET recipient = '{recipient}', status = 'queued' WHERE recipient = '{email}'"));
    world.sql(&format!(
        "UPDATE background_jobs SET state = 'queued', attempts = 0, pushed_at = NULL, run_at = created_at, \
         finished_at = NULL WHERE request_id = '{request_id}' AND state = 'done'"
    ));
}

/// Uses a refresh token again after its successor was used. This ends the session and is reported to the person by
/// mail.
async fn reuse_refresh_token(world: &World, person: &Person) {
    let browser = world.browser();
    person.sign_in(&browser).await;
    let copied = browser.cookie(cookies::PORTAL_REFRESH).unwrap();
    browser.refresh().await.expect(200);
    browser.refresh().await.expect(200);
    let thief = world.browser().with_cookie(cookies::PORTAL_REFRESH, &copied);
    thief.refresh().await.assert_problem("401 session_revoked");
}

/// A mail of each kind, to a person of Red Quay who then joins Green Pier too, and to staff of Red Quay.
struct Mails {
    /// To the person while they belong to Red Quay only, and a sign-in code.
    of_red_quay: Vec<Mail>,
    /// Invites the person to Green Pier.
    invitation_to_green_pier: Mail,
    /// A reset link for the person of both.
    recovery: Mail,
}

impl Mails {
    async fn receive(world: &World) -> Self {
        let (red, green) = (tenant_named(world, "Red Quay").await, tenant_named(world, "Green Pier").await);
        let mut person = red.person(world).await;
        let of_red_quay = Self::receive_of_one_tenant(world, &red, &mut person).await;

        green.invite(&green.client("Green Client").await, &person.email).await;
        let invitation_to_green_pier = world.mail(&person.email, 7).await;
        let browser = world.browser();
        person.sign_in(&browser).await;
        browser.accept_invitation(&invitation_to_green_pier.token()).await.expect(204);
        person.request_reset(world, 8).await;
        let recovery = world.mail(&person.email, 8).await;
        Self { of_red_quay, invitation_to_green_pier, recovery }
    }

    async fn receive_of_one_tenant(world: &World, tenant: &Tenant, person: &mut Person) -> Vec<Mail> {
        let body = json!({ "email": person.email });
        world.browser().post_with_headers(FORGOT_PASSWORD, body, &FORGED_HOST).await.expect(200);
        let token = world.mail(&person.email, 2).await.token();
        person.password = password();
        world.browser().reset_password(&token, &person.password).await.expect(200);
        world.mail(&person.email, 3).await;
        tenant.invite(&tenant.client("Second Ltd").await, &person.email).await;
        world.mail(&person.email, 4).await;
        reuse_refresh_token(world, person).await;
        world.mail(&person.email, 5).await;
        world.sign_in_staff(&world.browser(), &tenant.owner_email, 2).await;
        let path = tenant.member_path(&person.client, &person.email).await;
        tenant.owner.patch(&path, json!({ "role": "admin" })).await.expect(200);
        tenant.admin_at(world, &person.client).await;
        world.mail(&person.email, 6).await;
        let mut mails = world.mails(&person.email).await;
        mails.push(world.new_device_mail(&person.email, 1).await);
        mails.push(world.mail(&tenant.owner_email, 2).await);
        mails.extend(Self::receive_of_staff(world, tenant).await);
        mails
    }

    /// The mails about staff and API tokens: to a new staff user, and to the owner about a new token and an expiring
    /// one.
    async fn receive_of_staff(world: &World, tenant: &Tenant) -> Vec<Mail> {
        let email = unique_email("sam");
        tenant.owner.post(paths::STAFF, json!({ "email": email, "role": "viewer" })).await.expect(201);
        let body = json!({ "name": "Nightly export", "scopes": ["clients:read"] });
        let token = tenant.owner.post(paths::STAFF_TOKENS, body).await.expect(201);
        let created = world.mail(&tenant.owner_email, 3).await;
        world.sql(&format!(
            "UPDATE api_tokens SET expiry_notice_at = created_at WHERE prefix = '{}'",
            token["prefix"].as_str().unwrap()
        ));
        world.run_periodic_job("notify_expiring_tokens");
        let expiring = world.mail(&tenant.owner_email, 4).await;
        vec![world.staff_invitation(&email).await, created, expiring]
    }

    fn all(&self) -> impl Iterator<Item = &Mail> {
        self.of_red_quay.iter().chain([&self.invitation_to_green_pier, &self.recovery])
    }
}

stories! {
    async fn msg_02_a_mail_row_with_an_injected_recipient_is_not_sent(world) {
        let tenant = world.tenant().await;
        let victim = unique_email("victim");
        for injection in INJECTIONS {
            let request_id = request_id();
            let email = delivered_invitation(world, &tenant, &request_id).await;
            let recipient = format!("{email}{}", injection.replace("{}", &victim));
            requeue_to(world, &email, &recipient, &request_id);
            let row = format!("FROM emails WHERE recipient = '{recipient}'");
            world.wait_for_sql("the mail has failed", &format!("SELECT status {row}"), "failed").await;
            assert_eq!(world.sql(&format!("SELECT detail {row}")), "the recipient is not an address");
            // It is not tried again.
            let job = format!("SELECT state, attempts FROM background_jobs WHERE request_id = '{request_id}'");
            world.wait_for_sql("the job is done", &job, "done|1").await;
            assert_eq!(world.mails(&email).await.len(), 1, "{injection:?}");
        }
        assert!(world.mails(&victim).await.is_empty());
    }

    async fn msg_02_a_tenant_name_adds_no_header_and_no_markup(world) {
        let tenant = tenant_named(world, "Evil\r\nBcc: bcc@x.test\r\n\r\n<script>alert(1)</script>").await;
        let email = tenant.create_invitation(world).await.email;
        let mail = world.mail(&email, 1).await;
        assert!(!mail.subject.contains(['\r', '\n']) && mail.subject.contains("Evil Bcc: bcc@x.test"), "{mail:?}");
        assert!(!mail.html.contains("<script"), "{mail:?}");
        assert!(world.mails("bcc@x.test").await.is_empty());
    }

    // RFC 2047: mail programs decode such a word in a subject.
    async fn msg_02_a_name_that_is_an_encoded_word_is_shown_as_it_is(world) {
        for name in ["=?utf-8?q?Acme?=", "Acme =?UTF-8?B?TMO2d2U=?= Ltd", "=?iso-8859-1?q?a?= =?utf-8?q?b?="] {
            let email = tenant_named(world, name).await.create_invitation(world).await.email;
            let mail = world.mail(&email, 1).await;
            assert!(mail.subject.contains(name), "{mail:?}");
        }
    }

    async fn msg_03_mails_of_one_tenant_name_that_tenant(world) {
        let mails = Mails::receive(world).await;
        assert_eq!(mails.of_red_quay.len(), 11);
        for mail in &mails.of_red_quay {
            assert_names(mail, "Red Quay", "Green Pier");
        }
        assert_names(&mails.invitation_to_green_pier, "Green Pier", "Red Quay");
    }

    async fn msg_03_recovery_mail_to_a_person_of_two_tenants_names_neither(world) {
        let mail = Mails::receive(world).await.recovery;
        assert!(!content(&mail).contains("Green Pier") && !content(&mail).contains("Red Quay"), "{mail:?}");
    }

    async fn msg_03_links_lead_to_pages_of_the_configured_public_url(world) {
        let mails = Mails::receive(world).await;
        let start = format!("{}/", public_url(world));
        let mut pages = BTreeSet::new();
        for link in mails.all().flat_map(|mail| &mail.links) {
            let (page, _) = link.split_once('#').unwrap_or((link, ""));
            pages.insert(page.strip_prefix(&start).unwrap_or_else(|| panic!("{link} is not below {start}")));
        }
        assert!(pages.iter().all(|page| PAGES.contains(page)) && pages.len() >= 3, "{pages:?}");
    }

    async fn msg_04_a_locale_of_an_unsupported_form_or_language_is_refused(world) {
        let tenant = world.tenant().await;
        let path = portal_user(&tenant.client("Acme Ltd").await);
        for locale in [
            "../../etc/passwd", &"x".repeat(10_000), "en/../..", "%2e%2e", "en\n", "<b>", "xx-YY", "it", "en-USA",
            "de_CH", "",
        ] {
            let body = json!({ "email": "a@x.test", "locale": locale });
            tenant.owner.post(&path, body).await.assert_problem("422 validation_failed: /locale locale_invalid");
        }
        let with_nul = json!({ "email": "a@x.test", "locale": "en\u{0}" });
        tenant.owner.post(&path, with_nul).await.assert_problem("400 malformed_request");
    }

    async fn msg_04_a_locale_without_texts_falls_back_to_english(world) {
        for locale in ["it", "xx-YY", "../../etc/passwd", ""] {
            let tenant = world.tenant().await;
            // The API refuses such a locale. A later version may have more languages than this one.
            world.sql(&format!("UPDATE tenants SET default_locale = '{locale}' WHERE slug = '{}'", tenant.slug));
            let email = tenant.create_invitation(world).await.email;
            world.sql(&format!("UPDATE portal_users SET locale = '{locale}' WHERE email = '{email}'"));
            let mail = world.mail(&email, 1).await;
            assert_eq!(mail.subject, "Blue Harbour invites you to Acme Ltd");
            assert!(mail.html.contains("<html lang=\"en\">"), "{}", mail.html);
        }
    }

    async fn msg_04_any_accept_language_header_is_harmless(world) {
        for language in ["../../etc/passwd", "xx-YY", "*;q=nonsense", &"de,".repeat(3_000)] {
            let body = json!({ "email": unique_email("unknown") });
            let headers = [("accept-language", language)];
            world.browser().post_with_headers(FORGOT_PASSWORD, body, &headers).await.expect(200);
        }
    }

    async fn msg_05_mails_load_nothing_when_they_are_read(world) {
        let mails = Mails::receive(world).await;
        for mail in mails.all() {
            for markup in LOADING_MARKUP {
                assert!(!mail.html.contains(markup), "{markup} {mail:?}");
            }
        }
    }
}

/// Returns an activation mail, a reset mail and a sign-in code as the mail server of a cluster received them.
async fn received_messages(world: &World) -> Vec<Value> {
    let tenant = world.tenant().await;
    let person = tenant.person(world).await;
    person.request_reset(world, 2).await;
    let messages = [world.sink().messages(&person.email).await, world.sink().messages(&tenant.owner_email).await];
    // The mail that says where to sign in carries no secret.
    let has_secret = |message: &Value| !message["subject"].as_str().unwrap().contains("has added you");
    let messages: Vec<_> = messages.concat().into_iter().filter(has_secret).collect();
    assert_eq!(messages.len(), 3);
    messages
}

#[tokio::test]
async fn msg_05_mails_have_the_headers_of_automatic_mail() {
    let mut ids = BTreeSet::new();
    for message in received_messages(&*World::shared(Deployment::Cluster).await).await {
        let headers = &message["headers"];
        let header = |name: &str| headers[name].as_str().unwrap_or_else(|| panic!("{name}: {headers}")).to_owned();
        assert_eq!(header("auto-submitted"), "auto-generated");
        assert_eq!(header("from"), "Portal <portal@portico.test>");
        assert_eq!((header("mime-version"), header("content-language")), ("1.0".into(), "en".into()));
        assert!(header("content-type").starts_with("multipart/alternative;"), "{headers}");
        assert!(header("date").ends_with("+0000"), "{headers}");
        assert!(header("message-id").ends_with("@portico.test>"), "{headers}");
        assert!(message["text"].as_str().is_some_and(|text| !text.is_empty()) && message["html"].is_string());
        ids.insert(header("message-id"));
    }
    assert_eq!(ids.len(), 3, "each mail has a Message-ID of its own");
}

#[tokio::test]
async fn msg_05_secrets_are_in_the_body_only() {
    for message in received_messages(&*World::shared(Deployment::Cluster).await).await {
        let (mail, headers) = (Mail::from(&message), message["headers"].to_string());
        let token = mail.links.iter().filter_map(|link| link.split_once("#token=")).map(|(_, token)| token);
        let secrets: Vec<&str> = token.chain(mail.code.as_deref()).collect();
        assert!(!secrets.is_empty() && secrets.iter().all(|secret| !headers.contains(secret)), "{headers}");
    }
}

#[tokio::test]
async fn msg_05_a_retry_sends_the_same_mail() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let person = world.tenant().await.person(&world).await;
    // The mail server accepts the mail and drops the connection before it answers.
    world.sink().fail(json!([{ "stage": "after_data", "do": "drop", "times": 1 }])).await;
    world.browser().forgot_password(&person.email).await.expect(200);
    let resets = async || -> Vec<Value> {
        let messages = world.sink().messages(&person.email).await;
        messages.into_iter().filter(|mail| mail["subject"].as_str().unwrap().contains("password")).collect()
    };
    let twice =
        eventually("the mail has come twice", || async { Some(resets().await).filter(|mails| mails.len() == 2) }).await;
    assert_eq!(twice[0]["message_id"], twice[1]["message_id"]);
    assert_eq!(twice[0]["text"], twice[1]["text"]);
}
