//! PWD cases: one password policy on every path, the whole password counts, and no response repeats a password.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Browser, Deployment, Person, World, new_password, password,
    paths::{ACTIVATE, CHANGE_PASSWORD, OPENAPI, RESET_PASSWORD, SIGN_IN},
    post_concurrently, stories, unique, unique_email,
};

/// A letter, a character outside the Basic Multilingual Plane, and one that normalisation composes of two.
const CHARACTERS: [&str; 3] = ["k", "🜂", "e\u{301}"];

/// A number of equal characters, and why the policy refuses a password of so many.
const REFUSED_LENGTHS: [(usize, &str); 5] = [
    (1, "password_too_short"),
    (7, "password_too_short"),
    (8, "password_weak"),
    (129, "password_too_long"),
    (256, "password_too_long"),
];

/// Passwords that an attacker guesses first. All people of the stories are invited as Robin Miller by Blue Harbour.
const COMMON_PASSWORDS: [&str; 6] = [
    "passwordpassword",
    "123456789012345",
    "qwertyuiopasdfgh",
    "porticoportico",
    "xq-MILLER-7731-zz",
    "aaaaaaaaaaaaaaaa",
];

/// A text that occurs in no response by itself.
const CANARY: &str = "canary-K7w-quartz";

fn change_body(current: &str, new: &str) -> Value {
    json!({ "current_password": current, "new_password": new })
}

/// Returns the status of a sign-in from a network of its own.
async fn sign_in(world: &World, email: &str, password: &str) -> u16 {
    world.browser().sign_in(email, password).await.status
}

/// Signs `person` in twenty times concurrently and asserts that every sign-in succeeds.
async fn assert_concurrent_sign_ins_succeed(world: &World, person: &Person) {
    let counts = post_concurrently(world.browsers(20), SIGN_IN, vec![Some(person.credentials()); 20]).await;
    assert_eq!(counts, BTreeMap::from([(200, 20)]));
}

/// Returns a password of `count` characters, filled up with `character`.
fn padded_password(character: &str, count: usize) -> String {
    let start = password();
    format!("{start}{}", character.repeat(count - start.chars().count()))
}

/// The three operations that set a password, each with a user who may call it.
struct PasswordOperations {
    invited_email: String,
    activation_token: String,
    reset_person: Person,
    reset_token: String,
    signed_in_person: Person,
}

impl PasswordOperations {
    async fn prepare(world: &World) -> Self {
        let tenant = world.tenant().await;
        let (reset_person, signed_in_person) = (tenant.person(world).await, tenant.person(world).await);
        let invited_email = unique_email("invited");
        let activation_token = tenant.invite_for_token(world, &signed_in_person.client, &invited_email).await;
        let reset_token = reset_person.request_reset(world, 2).await;
        Self { invited_email, activation_token, reset_person, reset_token, signed_in_person }
    }

    /// The addresses of the users of activation, reset and change.
    fn emails(&self) -> [&str; 3] {
        [&self.invited_email, &self.reset_person.email, &self.signed_in_person.email]
    }

    /// The requests that set these passwords by activation, reset and change. Each comes from a network of its own.
    fn requests(&self, world: &World, passwords: [&str; 3]) -> [(Browser, &'static str, Value); 3] {
        let [activate, reset, change] = passwords;
        [
            (world.browser(), ACTIVATE, new_password(&self.activation_token, activate)),
            (world.browser(), RESET_PASSWORD, new_password(&self.reset_token, reset)),
            (
                self.signed_in_person.browser.on_new_network(),
                CHANGE_PASSWORD,
                change_body(&self.signed_in_person.password, change),
            ),
        ]
    }

    /// Asserts that each operation refuses its password with `reason` as the only error and does not repeat it.
    async fn assert_refused(&self, world: &World, passwords: [&str; 3], reason: &str) {
        for ((browser, path, body), bad) in self.requests(world, passwords).into_iter().zip(passwords) {
            let response = browser.post(path, body).await;
            // A shorter text can be in the response by chance.
            assert!(bad.len() < 7 || !response.text.contains(bad), "{path} repeats a password");
            let field = if path == CHANGE_PASSWORD { "/new_password" } else { "/password" };
            response.assert_problem(&format!("422 validation_failed: {field} {reason}"));
        }
    }

    /// Asserts that each operation sets its password.
    async fn assert_accepted(&self, world: &World, passwords: [&str; 3]) {
        for ((browser, path, body), status) in self.requests(world, passwords).into_iter().zip([200, 200, 204]) {
            browser.post(path, body).await.expect(status);
        }
    }
}

stories! {
    async fn pwd_01_wrong_lengths_are_refused_on_every_path(world) {
        let operations = PasswordOperations::prepare(world).await;
        for character in CHARACTERS {
            for (count, reason) in REFUSED_LENGTHS {
                operations.assert_refused(world, [&character.repeat(count); 3], reason).await;
            }
        }
        operations.assert_refused(world, [""; 3], "password_too_short").await;
    }

    async fn pwd_01_up_to_128_characters_are_accepted_and_not_cut_on_every_path(world) {
        let operations = PasswordOperations::prepare(world).await;
        let passwords = [padded_password("k", 64), padded_password("🜂", 128), padded_password("e\u{301}", 128)];
        operations.assert_accepted(world, passwords.each_ref().map(String::as_str)).await;
        for (email, mut password) in operations.emails().into_iter().zip(passwords) {
            assert_eq!(sign_in(world, email, &password).await, 200);
            password.pop();
            assert_eq!(sign_in(world, email, &password).await, 401);
        }
    }

    async fn pwd_02_passwords_are_not_trimmed_or_folded(world) {
        let person = world.tenant().await.person(world).await;
        let mut current = person.password.clone();
        for typed in ["tqvzkwmrplxjyhgfdsbn", "  spaces  around it  ", "пароль-не-простой-42"] {
            person.browser.post(CHANGE_PASSWORD, change_body(&current, typed)).await.expect(204);
            current = typed.to_owned();
            assert_eq!(sign_in(world, &person.email, typed).await, 200, "{typed}");
            for other in [typed.trim(), &typed.to_uppercase(), &typed.replace("  ", " "), &format!("{typed} ")] {
                assert_eq!(sign_in(world, &person.email, other).await == 200, other == typed, "{typed} and {other}");
            }
        }
    }

    async fn pwd_03_common_passwords_are_refused_on_every_path(world) {
        let operations = PasswordOperations::prepare(world).await;
        for common in COMMON_PASSWORDS {
            operations.assert_refused(world, [common; 3], "password_weak").await;
        }
    }

    async fn pwd_03_the_users_own_address_is_refused_on_every_path(world) {
        let operations = PasswordOperations::prepare(world).await;
        let passwords = operations.emails().map(|email| {
            format!("Zq7-{}-Zq7", email.split('@').next().unwrap().to_uppercase())
        });
        operations.assert_refused(world, passwords.each_ref().map(String::as_str), "password_weak").await;
    }

    async fn pwd_03_words_of_the_names_of_person_client_and_tenant_are_refused_on_every_path(world) {
        let operations = PasswordOperations::prepare(world).await;
        for named in ["9x-ROBIN-Kq7-vune", "9x-acme-Kq7-vune", "9x-hArBoUr-Kq7-vune"] {
            operations.assert_refused(world, [named; 3], "password_weak").await;
        }
        // "Ltd" has three letters.
        operations.assert_accepted(world, ["9x-Ltd-Kq7-vune-lamp"; 3]).await;
    }

    async fn pwd_03_a_local_part_of_less_than_four_characters_forbids_nothing(world) {
        let tenant = world.tenant().await;
        let client = tenant.client("Acme Ltd").await;
        for (local, allowed) in [("z", true), ("vkw", true), ("zvkw", false)] {
            let email = format!("{local}@{}.test", unique("short"));
            let token = tenant.invite_for_token(world, &client, &email).await;
            let response = world.browser().activate(&token, "tqzvkwmrplxjyhgfdsbn").await;
            if allowed {
                response.expect(200);
            } else {
                response.assert_problem("422 validation_failed: /password password_weak");
            }
        }
    }

    async fn pwd_04_every_character_of_a_long_password_counts(world) {
        let person = world.tenant().await.person(world).await;
        let long = format!("{}{}", password(), "-long-tail".repeat(7));
        assert!(long.len() >= 90);
        person.browser.post(CHANGE_PASSWORD, change_body(&person.password, &long)).await.expect(204);
        for wrong in [&long[..64], &long[..72], &long[..long.len() - 1], &format!("{long}x")] {
            assert_eq!(sign_in(world, &person.email, wrong).await, 401, "{wrong}");
        }
        assert_eq!(sign_in(world, &person.email, &long).await, 200);
    }

    // A NUL character ends a text in C, so a password with one could be cut there.
    async fn pwd_04_a_password_with_nul_is_refused(world) {
        let person = world.tenant().await.person(world).await;
        let with_nul = format!("{}\0tail", person.password);
        world.browser().sign_in(&person.email, &with_nul).await.assert_problem("400 malformed_request");
        let change = change_body(&person.password, &with_nul);
        person.browser.post(CHANGE_PASSWORD, change).await.assert_problem("400 malformed_request");
    }

    async fn pwd_08_a_change_needs_the_current_password(world) {
        let person = world.tenant().await.person(world).await;
        let other_session = world.browser();
        person.sign_in(&other_session).await;
        let new = password();
        world.browser().post(CHANGE_PASSWORD, change_body("x", "y")).await.assert_problem("401 unauthenticated");
        for (body, problem) in [
            (json!({ "new_password": new }), "422 validation_failed: /current_password required"),
            (change_body("not my password", &new), "401 invalid_credentials"),
            (change_body(&person.password, "short"), "422 validation_failed: /new_password password_too_short"),
        ] {
            person.browser.post(CHANGE_PASSWORD, body).await.assert_problem(problem);
        }
        other_session.session().await.expect(200);
        person.browser.post(CHANGE_PASSWORD, change_body(&person.password, &new)).await.expect(204);
    }

    async fn pwd_08_a_change_keeps_its_own_session_and_ends_the_others(world) {
        let person = world.tenant().await.person(world).await;
        let other_session = world.browser();
        person.sign_in(&other_session).await;
        person.browser.post(CHANGE_PASSWORD, change_body(&person.password, &password())).await.expect(204);

        person.browser.session().await.expect(200);
        person.browser.refresh().await.expect(200);
        other_session.session().await.assert_problem("401 session_revoked");
        other_session.refresh().await.assert_problem("401 session_revoked");
    }

    async fn pwd_08_a_change_ends_the_old_password_and_reset_links_and_is_mailed(world) {
        let person = world.tenant().await.person(world).await;
        let (reset_token, new) = (person.request_reset(world, 2).await, password());
        person.browser.post(CHANGE_PASSWORD, change_body(&person.password, &new)).await.expect(204);

        world.browser().reset_password(&reset_token, &password()).await.assert_problem("410 token_revoked");
        assert_eq!(sign_in(world, &person.email, &person.password).await, 401);
        assert_eq!(sign_in(world, &person.email, &new).await, 200);
        let notice = world.mail(&person.email, 3).await;
        assert!(notice.subject.contains("was changed") && !notice.text.contains("token="), "{notice:?}");
    }

    // One keyboard sends "é" as one code point, another as "e" and a combining accent.
    async fn pwd_09_composed_and_decomposed_characters_are_the_same_password(world) {
        let person = world.tenant().await.person(world).await;
        let suffix = password();
        let (composed, decomposed) = (format!("Zo\u{e9} {suffix}"), format!("Zoe\u{301} {suffix}"));
        let assert_both_sign_in = async || {
            assert_eq!(sign_in(world, &person.email, &composed).await, 200);
            assert_eq!(sign_in(world, &person.email, &decomposed).await, 200);
        };
        person.browser.post(CHANGE_PASSWORD, change_body(&person.password, &composed)).await.expect(204);
        assert_both_sign_in().await;
        // The same holds for the current password of a change and for the password of a reset.
        person.browser.post(CHANGE_PASSWORD, change_body(&decomposed, &password())).await.expect(204);
        // Wait for the notices of both changes: a reset mail may overtake them.
        world.mail(&person.email, 3).await;
        let token = person.request_reset(world, 4).await;
        world.browser().reset_password(&token, &decomposed).await.expect(200);
        assert_both_sign_in().await;
    }

    async fn pwd_10_no_answer_repeats_what_was_sent(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let document = world.browser().get(OPENAPI).await.expect(200);
        let operations = operations_with_a_body(&document);
        assert!(operations.len() >= 13, "{}", operations.len());
        for (method, path, fields) in operations {
            let caller = if path.starts_with("/api/v1") { &tenant.owner } else { &person.browser };
            let path = path.replace("{client_id}", &person.client);
            for body in bodies_with_canary(&path, &fields) {
                let response = caller.on_new_network().send(method.clone(), &path, Some(body.clone()), &[]).await;
                let is_refused = (400..500).contains(&response.status);
                // A bulk invitation answers each row, a check of a password judges any text, and a challenge that
                // does not exist is cancelled.
                let succeeds =
                    ["/sign-out", "/sign-out-everywhere", "/invitations/bulk", "/check-password", "/mfa/cancel"];
                let may_succeed = succeeds.iter().any(|end| path.ends_with(end));
                assert!(is_refused || may_succeed, "{path} {body}: {response:?}");
                let shown = format!("{:?} {}", response.headers, response.text);
                assert!(!shown.contains("canary"), "{path} {body}: {response:?}");
            }
        }
    }

    async fn pwd_12_concurrent_sign_ins_of_one_person_all_succeed(world) {
        let person = world.tenant().await.person(world).await;
        assert_concurrent_sign_ins_succeed(world, &person).await;
    }
}

/// Returns the method, the path and the names of the body's fields of every documented operation that takes a body.
fn operations_with_a_body(document: &Value) -> Vec<(Method, String, Vec<String>)> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(content) = operation["requestBody"]["content"].as_object() else { continue };
            // An image has no fields.
            let Some(reference) = content.values().next().unwrap()["schema"]["$ref"].as_str() else { continue };
            let schema = &document["components"]["schemas"][reference.rsplit('/').next().unwrap()];
            let fields = schema["properties"].as_object().unwrap().keys().cloned().collect();
            operations.push((method.to_uppercase().parse().unwrap(), path.clone(), fields));
        }
    }
    operations
}

/// Returns bodies that hold the canary where `path` does not accept it.
fn bodies_with_canary(path: &str, fields: &[String]) -> Vec<String> {
    let in_every_field = |value: Value| fields.iter().map(|name| (name.clone(), value.clone())).collect::<Value>();
    let mut bodies = vec![
        json!(CANARY),
        json!([CANARY]),
        json!({ "other": CANARY }),
        in_every_field(json!([CANARY])),
        in_every_field(json!({ "x": CANARY })),
        in_every_field(json!({ "x": [CANARY] })),
    ];
    // Elsewhere, such as in the name of a client, the canary is a valid value.
    if path.contains("/auth/") {
        bodies.push(in_every_field(json!(CANARY)));
    }
    let malformed = [
        format!("{{\"token\":\"{CANARY}\",\"token\":\"{CANARY}\"}}"),
        format!("{{\"password\":\"{CANARY}"),
        CANARY.to_owned(),
    ];
    bodies.iter().map(Value::to_string).chain(malformed).collect()
}

// Two APIs have one hashing cost and a third has another, so that sign-ins replace the hash in turn.
#[tokio::test]
async fn pwd_12_concurrent_rehashes_keep_the_password() {
    let mut world = World::start(Deployment::Cluster, &[]).await;
    world.env.push(("PORTICO_SCRYPT".into(), "ln=13,r=8,p=1".into()));
    world.start_api("api").await;
    let person = world.tenant().await.person(&world).await;
    assert_concurrent_sign_ins_succeed(&world, &person).await;
    let sql = format!("SELECT left(password_phc, 14) FROM portal_users WHERE email = '{}'", person.email);
    for (apis, cost) in [(&world.apis[..1], "$scrypt$ln=12,"), (&world.apis[2..], "$scrypt$ln=13,")] {
        person.sign_in(&world.browser().at(apis)).await;
        assert_eq!(world.sql(&sql), cost);
        person.sign_in(&world.browser().at(apis)).await;
    }
}
