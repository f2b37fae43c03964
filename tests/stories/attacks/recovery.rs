//! RST cases: password recovery works for the owner of the stored address and for no other user.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::{
    Tenant, World, new_password, password,
    paths::{self, FORGOT_PASSWORD, RESEND_ACTIVATION, RESET_PASSWORD, SIGN_IN},
    post_concurrently, stories, unique, unique_email,
};

/// Invites an address whose local part begins with `mike` and returns the local part, which is in lower case.
async fn invited_mike(world: &World, tenant: &Tenant) -> String {
    let client = tenant.client("Acme Ltd").await;
    let name = unique("mike");
    let invited = tenant.invite(&client, &format!(" {}@X.test", name.to_uppercase())).await;
    assert_eq!(invited["portal_user"]["email"], format!("{name}@x.test"));
    world.mail(&format!("{name}@x.test"), 1).await;
    name
}

stories! {
    async fn rst_03_mail_goes_to_the_stored_spelling_of_the_address(world) {
        let name = invited_mike(world, &world.tenant().await).await;
        let spellings = [format!("{}@x.test", name.to_uppercase()), format!("{name}@X.TEST")];
        for spelling in &spellings {
            world.browser().forgot_password(spelling).await.expect(200);
        }
        world.mail(&format!("{name}@x.test"), 3).await;
        // The mail server compares recipients byte for byte.
        if let Some(sink) = &world.sink {
            for spelling in &spellings {
                assert!(sink.messages(spelling).await.is_empty(), "{spelling}");
            }
        }
        // An address with a tag is another person, who does not exist here.
        world.browser().forgot_password(&format!("{name}+x@x.test")).await.expect(200);
        assert!(world.mails(&format!("{name}+x@x.test")).await.is_empty());
    }

    async fn rst_03_addresses_with_similar_characters_are_refused(world) {
        let name = invited_mike(world, &world.tenant().await).await;
        for similar in [
            name.replace('i', "ı"),
            name.replace('k', "\u{212a}"),
            name.replace("mike", "ＭＩＫＥ"),
            name.replace('m', "м"),
        ] {
            let response = world.browser().forgot_password(&format!("{similar}@x.test")).await;
            response.assert_problem("422 validation_failed: /email email_invalid");
        }
    }

    async fn rst_08_a_reset_refuses_fields_that_name_another_user(world) {
        let tenant = world.tenant().await;
        let (owner, victim) = (tenant.person(world).await, tenant.person(world).await);
        let token = owner.request_reset(world, 2).await;
        let body = new_password(&token, &password());
        for extra in ["user_id", "email", "tenant_id", "sub"] {
            let mut with_field = body.clone();
            with_field[extra] = json!(victim.email);
            let problem = format!("422 validation_failed: /{extra} unknown_field");
            world.browser().post(RESET_PASSWORD, with_field).await.assert_problem(&problem);
            let with_query = format!("{RESET_PASSWORD}?{extra}={}", victim.email);
            world.browser().post(&with_query, body.clone()).await.assert_problem(&problem);
        }
    }

    async fn rst_08_a_reset_in_another_users_browser_changes_only_the_links_owner(world) {
        let tenant = world.tenant().await;
        let (owner, victim) = (tenant.person(world).await, tenant.person(world).await);
        let token = owner.request_reset(world, 2).await;
        let headers = [("x-user-id", &*victim.email), ("x-forwarded-user", &*victim.email)];
        let body = new_password(&token, &password());
        victim.browser.post_with_headers(RESET_PASSWORD, body, &headers).await.expect(200);
        victim.sign_in(&world.browser()).await;
        world.browser().sign_in(&owner.email, &owner.password).await.assert_problem("401 invalid_credentials");
    }

    async fn rst_11_requests_for_one_mailbox_are_limited_for_known_and_unknown_addresses(world) {
        let person = world.tenant().await.person(world).await;
        let unknown = unique_email("unknown");
        for address in [&person.email, &unknown] {
            let bodies = vec![Some(json!({ "email": address })); 15];
            let counts = post_concurrently(world.browsers(15), FORGOT_PASSWORD, bodies).await;
            assert_eq!(counts, BTreeMap::from([(200, 3), (429, 12)]));
            // A tagged address and the other operation count for the same mailbox.
            let tagged = address.replace('@', "+tag@");
            world.browser().forgot_password(&tagged).await.assert_problem("429 too_many_requests");
            world.browser().resend_activation(address).await.assert_problem("429 too_many_requests");
        }
        let newest = world.mail(&person.email, 4).await.token();
        world.browser().reset_password(&newest, &password()).await.expect(200);
        assert!(world.mails(&unknown).await.is_empty());
    }

    async fn rst_11_requests_from_one_network_are_limited(world) {
        let attacker = world.browser();
        for n in 0..20 {
            let path = if n % 2 == 0 { FORGOT_PASSWORD } else { RESEND_ACTIVATION };
            attacker.post(path, json!({ "email": unique_email("unknown") })).await.expect(200);
        }
        let next = unique_email("unknown");
        attacker.forgot_password(&next).await.assert_problem("429 too_many_requests");
        world.browser().forgot_password(&next).await.expect(200);
    }

    async fn rst_12_link_tokens_are_256_bits_and_differ(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let mut tokens = vec![tenant.invite_for_token(world, &person.client, &unique_email("unknown")).await];
        for nth in 2..5 {
            tokens.push(person.request_reset(world, nth).await);
        }
        let decoded: Vec<Vec<u8>> = tokens.iter().map(|token| BASE64_URL_SAFE_NO_PAD.decode(token).unwrap()).collect();
        for (n, bytes) in decoded.iter().enumerate() {
            assert_eq!(bytes.len(), 32);
            for other in &decoded[..n] {
                let equal = bytes.iter().zip(other).filter(|(a, b)| a == b).count();
                assert!(equal < 8, "{equal} of 32 bytes are equal in two tokens");
            }
        }
    }

    // PORTICO_LIMIT_TOKEN_NETWORK: 20 a minute for a network, in each process, over all operations that take a link.
    async fn rst_12_guesses_of_link_tokens_are_limited(world) {
        let person = world.tenant().await.person(world).await;
        let token = person.request_reset(world, 2).await;
        let guesser = world.browser().at(&world.apis[..1]);
        for n in 0..20 {
            let (path, body) = token_guess(n);
            guesser.post(&path, body).await.assert_problem("404 token_unknown");
        }
        guesser.check_token(&token).await.assert_problem("429 too_many_requests");
        world.browser().check_token(&token).await.expect(200);
    }

    // An office shares an address: a right link or code counts nothing there.
    async fn rst_12_right_link_tokens_and_codes_of_one_network_are_not_limited(world) {
        let tenant = world.tenant().await;
        let (office, invitation) = (world.browser(), tenant.create_invitation(world).await);
        let person = tenant.person(world).await;
        let reset = person.request_reset(world, 2).await;
        for _ in 0..25 {
            for token in [&invitation.token, &reset] {
                office.check_token(token).await.expect(200);
            }
        }
        office.activate(&invitation.token, &password()).await.expect(200);
        office.reset_password(&reset, &password()).await.expect(200);
        office.reset_password(&reset, &password()).await.assert_problem("410 token_used");
        let (flow, code) = world.request_code(&office, &tenant.owner_email, 2).await;
        office.verify_code(&flow, &code).await.expect(200);
    }

    async fn rst_13_a_person_of_two_tenants_has_one_password(world) {
        let (home, other) = (world.tenant().await, world.tenant().await);
        let person = home.person(world).await;
        let bystander = other.person(world).await;
        let client = other.client("Elsewhere Ltd").await;
        other.invite(&client, &person.email).await;
        let invitation = world.mail(&person.email, 2).await.token();
        person.browser.accept_invitation(&invitation).await.expect(204);

        let (token, new) = (person.request_reset(world, 3).await, password());
        world.browser().reset_password(&token, &new).await.expect(200);
        for client in [&person.client, &client] {
            let body = json!({ "email": person.email, "password": new, "client_id": client });
            world.browser().post(SIGN_IN, body).await.expect(200);
        }
        bystander.browser.session().await.expect(200);
    }

    async fn rst_13_recovery_mail_to_a_person_of_two_tenants_names_neither(world) {
        let (home, other) = (world.tenant().await, world.tenant().await);
        let person = home.person(world).await;
        other.invite(&other.client("Elsewhere Ltd").await, &person.email).await;
        let invitation = world.mail(&person.email, 2).await.token();
        person.browser.accept_invitation(&invitation).await.expect(204);

        world.browser().forgot_password(&person.email).await.expect(200);
        let mail = world.mail(&person.email, 3).await;
        assert_eq!(mail.subject, "Choose a new password for Client portal");
        assert!(!mail.text.contains("Blue Harbour") && !mail.html.contains("Blue Harbour"), "{mail:?}");
    }

    async fn rst_14_a_refused_password_keeps_the_reset_link(world) {
        let person = world.tenant().await.person(world).await;
        let token = person.request_reset(world, 2).await;
        // A password that contains the token is as weak as a common one.
        for weak in ["passwordpassword", &token, &format!("x{token}x")] {
            let response = world.browser().reset_password(&token, weak).await;
            response.assert_problem("422 validation_failed: /password password_weak");
        }
        world.browser().reset_password(&token, &password()).await.expect(200);
    }

    async fn rst_14_a_reset_ends_every_session_and_does_not_sign_in(world) {
        let person = world.tenant().await.person(world).await;
        let other_session = world.browser();
        person.sign_in(&other_session).await;
        let (token, new) = (person.request_reset(world, 2).await, password());
        let response = world.browser().reset_password(&token, &new).await;
        assert!(!response.headers.contains_key("set-cookie"), "{response:?}");
        assert_eq!(response.expect(200), json!({ "status": "password_reset" }));
        for browser in [&person.browser, &other_session] {
            browser.session().await.assert_problem("401 session_revoked");
            browser.refresh().await.assert_problem("401 session_revoked");
        }
        world.browser().sign_in(&person.email, &new).await.expect(200);
    }

    async fn rst_14_a_reset_link_works_once_and_revokes_older_links(world) {
        let person = world.tenant().await.person(world).await;
        let (older, newer) = (person.request_reset(world, 2).await, person.request_reset(world, 3).await);
        let browser = world.browser();
        browser.reset_password(&newer, &password()).await.expect(200);
        browser.reset_password(&newer, &password()).await.assert_problem("410 token_used");
        browser.reset_password(&older, &password()).await.assert_problem("410 token_revoked");
        browser.check_token(&newer).await.assert_problem("410 token_used");
    }

    async fn rst_14_a_reset_is_announced_by_a_mail_without_secrets(world) {
        let person = world.tenant().await.person(world).await;
        let token = person.request_reset(world, 2).await;
        world.browser().reset_password(&token, &password()).await.expect(200);
        let notice = world.mail(&person.email, 3).await;
        assert!(notice.subject.contains("was changed"), "{notice:?}");
        // It states the time, and where to go if it was not the owner.
        assert!(notice.text.contains(" UTC") && notice.text.contains("/portal/forgot-password"), "{notice:?}");
        assert!(!notice.text.contains("token=") && !notice.html.contains("token="), "{notice:?}");
    }

    async fn rst_14_fifty_concurrent_uses_of_a_reset_link_have_one_winner(world) {
        let person = world.tenant().await.person(world).await;
        let token = person.request_reset(world, 2).await;
        let bodies = (0..50).map(|_| Some(new_password(&token, &password()))).collect();
        let counts = post_concurrently(world.browsers(50), RESET_PASSWORD, bodies).await;
        assert_eq!(counts, BTreeMap::from([(200, 1), (410, 49)]));
        world.mail(&person.email, 3).await;
    }

    async fn rst_15_staff_do_not_see_the_links_that_they_send(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        let email = unique_email("unknown");
        let path = paths::portal_user(&client);
        let invited = tenant.owner.post(&path, json!({ "email": email })).await;
        // Wait for this mail: a resend before its delivery replaces it.
        world.mail(&email, 1).await;
        let responses = [
            invited,
            tenant.owner.post(&paths::resend_invitation(&client), json!({ "email": email })).await,
            tenant.owner.post(&path, json!({ "email": email })).await,
            tenant.owner.get(&paths::client(&client)).await,
        ];
        world.mail(&email, 2).await;
        let tokens: Vec<_> = world.mails(&email).await.iter().map(|mail| mail.token()).collect();
        for response in responses {
            let shown = format!("{:?} {}", response.headers, response.text);
            assert!(!shown.contains("token") && tokens.iter().all(|token| !shown.contains(token)), "{shown}");
        }
    }
}

/// Returns the `n`th request with a random token; each of the four operations takes its turn.
fn token_guess(n: usize) -> (String, Value) {
    let token = "A".repeat(43);
    let (operation, body) = match n % 4 {
        0 => ("check-token", json!({ "token": token })),
        1 => ("request-new-link", json!({ "token": token })),
        2 => ("activate", json!({ "token": token, "password": password() })),
        _ => ("reset-password", json!({ "token": token, "password": password() })),
    };
    (format!("/api/portal/auth/{operation}"), body)
}
