//! A forgotten password comes back to its owner alone.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::json;

use crate::{
    support::all_at_once,
    support::{password, stories, unique},
};

const FORGOT: &str = "/api/portal/auth/forgot-password";
const RESEND: &str = "/api/portal/auth/resend-activation";
const RESET: &str = "/api/portal/auth/reset-password";
const CHECK: &str = "/api/portal/auth/check-token";
const SIGN_IN: &str = "/api/portal/auth/sign-in";
const SESSION: &str = "/api/portal/auth/session";

stories! {
    async fn rst_03_mail_goes_to_the_stored_address(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let name = unique("mike");
        let stored = format!("{name}@x.test");
        let invited = tenant.invite(&client, &format!(" {}@X.test", name.to_uppercase())).await;
        assert_eq!(invited["portal_user"]["email"], stored.as_str());
        world.mail(&stored, 1).await;
        // Two spellings of the same address; the mail server is asked byte for byte who got what.
        let spellings = [format!("{}@x.test", name.to_uppercase()), format!("{name}@X.TEST")];
        for spelling in &spellings {
            world.browser().post(FORGOT, json!({ "email": spelling })).await.expect(200);
        }
        world.mail(&stored, 3).await;
        if let Some(sink) = &world.sink {
            for spelling in &spellings {
                assert!(sink.messages(spelling).await.is_empty(), "{spelling}");
            }
        }
        // What merely looks like it is no address at all.
        for trick in [name.replace('i', "ı"), name.replace('k', "\u{212a}"), name.replace("mike", "ＭＩＫＥ"), name.replace('m', "м")] {
            let answer = world.browser().post(FORGOT, json!({ "email": format!("{trick}@x.test") })).await;
            assert_eq!(answer.bad_fields(), ["/email"], "{trick}");
        }
        // One mailbox's tag is another person, who does not exist.
        world.browser().post(FORGOT, json!({ "email": format!("{name}+x@x.test") })).await.expect(200);
        assert!(world.mails(&format!("{name}+x@x.test")).await.is_empty());
    }

    async fn rst_08_a_link_belongs_to_one_person(world) {
        let tenant = world.tenant().await;
        let (mine, victim) = (tenant.person(world).await, tenant.person(world).await);
        let token = mine.request_reset(world, 2).await;
        for extra in ["user_id", "email", "tenant_id", "sub"] {
            let body = json!({ "token": token, "password": password(), extra: victim.email });
            assert_eq!(world.browser().post(RESET, body).await.bad_fields(), [format!("/{extra}")]);
            let body = json!({ "token": token, "password": password() }).to_string();
            let path = format!("{RESET}?{extra}={}", victim.email);
            let answer = world.browser().send(Method::POST, &path, Some(body), &[]).await;
            assert_eq!(answer.bad_fields(), [format!("/{extra}")]);
        }
        // Not even in a browser where the victim is signed in.
        let headers = [("x-user-id", &*victim.email), ("x-forwarded-user", &*victim.email)];
        let body = json!({ "token": token, "password": password() }).to_string();
        victim.browser.send(Method::POST, RESET, Some(body), &headers).await.expect(200);
        victim.sign_in(&world.browser()).await;
        let old = json!({ "email": mine.email, "password": mine.password });
        world.browser().post(SIGN_IN, old).await.problem(401, "invalid_credentials");
    }

    async fn rst_11_mail_to_one_mailbox_is_limited_alike_for_strangers(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let stranger = format!("{}@x.test", unique("stranger"));
        for address in [&person.email, &stranger] {
            let browsers = (0..15).map(|_| world.browser()).collect();
            let counts = all_at_once(browsers, FORGOT, vec![Some(json!({ "email": address })); 15]).await;
            assert_eq!(counts, BTreeMap::from([(200, 3), (429, 12)]));
            // Another spelling and another way to ask are the same mailbox.
            let tagged = address.replace('@', "+tag@");
            world.browser().post(FORGOT, json!({ "email": tagged })).await.problem(429, "too_many_requests");
            world.browser().post(RESEND, json!({ "email": address })).await.problem(429, "too_many_requests");
        }
        let newest = world.mail(&person.email, 4).await.token();
        world.browser().post(RESET, json!({ "token": newest, "password": password() })).await.expect(200);
        assert!(world.mails(&stranger).await.is_empty());
    }

    async fn rst_11_one_network_cannot_mail_the_world(world) {
        let bomber = world.browser();
        for n in 0..20 {
            let path = if n % 2 == 0 { FORGOT } else { RESEND };
            bomber.post(path, json!({ "email": format!("{}@x.test", unique("stranger")) })).await.expect(200);
        }
        let next = json!({ "email": format!("{}@x.test", unique("stranger")) });
        bomber.post(FORGOT, next.clone()).await.problem(429, "too_many_requests");
        world.browser().post(FORGOT, next).await.expect(200);
    }

    async fn rst_12_links_are_strong_and_guessing_them_is_limited(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let mut tokens = Vec::new();
        for nth in 2..5 {
            tokens.push(person.request_reset(world, nth).await);
        }
        let invited = format!("{}@x.test", unique("invited"));
        tokens.push(tenant.invited(world, &person.client, &invited).await);
        for (n, token) in tokens.iter().enumerate() {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).unwrap();
            assert_eq!(bytes.len(), 32, "256 bits");
            for other in &tokens[..n] {
                let other = BASE64_URL_SAFE_NO_PAD.decode(other).unwrap();
                let same = bytes.iter().zip(&other).filter(|(a, b)| a == b).count();
                assert!(same < 8, "{same} of 32 bytes are the same in two links");
            }
        }
        // 20/1m for a network, in each process, over all operations that take a link.
        let guesser = world.browser().at(&world.apis[..1]);
        for n in 0..20 {
            let (path, body) = match n % 4 {
                0 => ("check-token", json!({ "token": "A".repeat(43) })),
                1 => ("request-new-link", json!({ "token": "A".repeat(43) })),
                2 => ("activate", json!({ "token": "A".repeat(43), "password": password() })),
                _ => ("reset-password", json!({ "token": "A".repeat(43), "password": password() })),
            };
            guesser.post(&format!("/api/portal/auth/{path}"), body).await.problem(404, "token_unknown");
        }
        guesser.post(CHECK, json!({ "token": tokens[0] })).await.problem(429, "too_many_requests");
        world.browser().post(CHECK, json!({ "token": tokens[0] })).await.expect(200);
    }

    // One person has one password, wherever they are a customer.
    async fn rst_13_a_person_of_two_tenants_recovers_for_both_and_neither_is_named(world) {
        let (home, other) = (world.tenant().await, world.tenant().await);
        let person = home.person(world).await;
        let client = other.client("Elsewhere Ltd").await;
        other.invite(&client, &person.email).await;
        let offer = world.mail(&person.email, 2).await.token();
        person.browser.post("/api/portal/invitations/accept", json!({ "token": offer })).await.expect(204);
        let bystander = other.person(world).await;

        world.browser().post(FORGOT, json!({ "email": person.email })).await.expect(200);
        let mail = world.mail(&person.email, 3).await;
        assert_eq!(mail.subject, "Choose a new password for Client portal");
        assert!(!mail.text.contains("Blue Harbour") && !mail.html.contains("Blue Harbour"), "{mail:?}");
        let new = password();
        world.browser().post(RESET, json!({ "token": mail.token(), "password": new })).await.expect(200);
        for client in [&person.client, &client] {
            let body = json!({ "email": person.email, "password": new, "client_id": client });
            world.browser().post(SIGN_IN, body).await.expect(200);
        }
        bystander.browser.get(SESSION).await.expect(200);
    }

    async fn rst_14_a_reset_ends_every_session_and_link_and_tells_the_owner(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let elsewhere = world.browser();
        person.sign_in(&elsewhere).await;
        let (older, newer) = (person.request_reset(world, 2).await, person.request_reset(world, 3).await);
        let anybody = world.browser();

        // A password that is refused does not spend the link, and the link itself is none.
        for weak in ["passwordpassword", &newer, &format!("x{newer}x")] {
            let answer = anybody.post(RESET, json!({ "token": newer, "password": weak })).await;
            assert_eq!(answer.problem(422, "validation_failed")["errors"][0]["code"], "password_weak");
        }
        let new = password();
        let done = anybody.post(RESET, json!({ "token": newer, "password": new })).await;
        assert!(!done.headers.contains_key("set-cookie"), "a reset does not sign in");
        assert_eq!(done.expect(200), json!({ "status": "password_reset" }));
        anybody.post(RESET, json!({ "token": newer, "password": password() })).await.problem(410, "token_used");
        anybody.post(RESET, json!({ "token": older, "password": password() })).await.problem(410, "token_revoked");
        anybody.post(CHECK, json!({ "token": newer })).await.problem(410, "token_used");

        for browser in [&person.browser, &elsewhere] {
            browser.get(SESSION).await.problem(401, "session_revoked");
            browser.call("/api/portal/auth/refresh").await.problem(401, "session_revoked");
        }
        anybody.post(SIGN_IN, json!({ "email": person.email, "password": new })).await.expect(200);
        let notice = world.mail(&person.email, 4).await;
        assert!(notice.subject.contains("was changed"), "{notice:?}");
        // When it was, and what to do if it was somebody else; but nothing that opens anything.
        assert!(notice.text.contains(" UTC") && notice.text.contains("/portal/forgot-password"), "{notice:?}");
        assert!(!notice.text.contains("token=") && !notice.html.contains("token="), "{notice:?}");
    }

    async fn rst_14_fifty_uses_of_one_link_have_one_winner(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let token = person.request_reset(world, 2).await;
        let passwords: Vec<_> = (0..50).map(|_| password()).collect();
        let bodies = passwords.iter().map(|password| Some(json!({ "token": token, "password": password }))).collect();
        let browsers = (0..50).map(|_| world.browser()).collect();
        let counts = all_at_once(browsers, RESET, bodies).await;
        assert_eq!(counts, BTreeMap::from([(200, 1), (410, 49)]));
        world.mail(&person.email, 3).await;
    }

    async fn rst_15_staff_never_see_what_they_have_sent(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let email = format!("{}@x.test", unique("ann"));
        let path = format!("/api/v1/clients/{client}/portal-user");
        let invited = tenant.owner.post(&path, json!({ "email": email })).await;
        // Sent, before another takes its place.
        world.mail(&email, 1).await;
        let answers = [
            invited,
            tenant.owner.post(&format!("{path}?action=resend"), json!({ "email": email })).await,
            tenant.owner.post(&path, json!({ "email": email })).await,
            tenant.owner.get(&format!("/api/v1/clients/{client}")).await,
        ];
        world.mail(&email, 2).await;
        let secrets: Vec<_> = world.mails(&email).await.iter().map(|mail| mail.token()).collect();
        for answer in answers {
            let all = format!("{:?} {}", answer.headers, answer.text);
            assert!(secrets.iter().all(|secret| !all.contains(secret)) && !all.contains("token"), "{all}");
        }
    }
}
