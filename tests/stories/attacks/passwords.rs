//! One policy on every path, the whole password, and nothing of it in any answer.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::all_at_once,
    support::{Browser, Person, Deployment, World, password, psql, stories, unique},
};

const ACTIVATE: &str = "/api/portal/auth/activate";
const RESET: &str = "/api/portal/auth/reset-password";
const CHANGE: &str = "/api/portal/auth/change-password";
const SIGN_IN: &str = "/api/portal/auth/sign-in";

fn changing(current: &str, new: &str) -> Value {
    json!({ "current_password": current, "new_password": new })
}

/// The status of a sign-in from a network of its own.
async fn sign_in(world: &World, email: &str, password: &str) -> u16 {
    world.browser().post(SIGN_IN, json!({ "email": email, "password": password })).await.status
}

/// Every way to set a password, each with somebody who may.
struct Ways {
    invited: String,
    activation: String,
    forgetful: Person,
    reset: String,
    person: Person,
}

impl Ways {
    async fn open(world: &World) -> Self {
        let tenant = world.tenant().await;
        let (forgetful, person) = (tenant.person(world).await, tenant.person(world).await);
        let invited = format!("{}@x.test", unique("invited"));
        let activation = tenant.invited(world, &person.client, &invited).await;
        let reset = forgetful.request_reset(world, 2).await;
        Self { invited, activation, forgetful, reset, person }
    }

    /// Asserts that each way refuses `bad` for this reason, does not repeat it, and stays open.
    async fn refuse(&self, world: &World, bad: &str, reason: &str) {
        let tries = [
            (world.browser(), ACTIVATE, json!({ "token": self.activation, "password": bad })),
            (world.browser(), RESET, json!({ "token": self.reset, "password": bad })),
            (self.person.browser.on_new_network(), CHANGE, changing(&self.person.password, bad)),
        ];
        for (browser, path, body) in tries {
            let answer = browser.post(path, body).await;
            assert!(bad.len() < 7 || !answer.text.contains(bad), "{path} repeats a password");
            let problem = answer.problem(422, "validation_failed");
            assert_eq!(problem["errors"][0]["code"], reason, "{path} {bad}");
            assert_eq!(problem["errors"].as_array().unwrap().len(), 1);
        }
    }
}

stories! {
    async fn pwd_01_length_is_counted_in_characters_on_every_path(world) {
        let ways = Ways::open(world).await;
        for kind in ["k", "🜂", "e\u{301}"] {
            for (count, reason) in [(1, "password_too_short"), (7, "password_too_short"), (8, "password_weak"), (129, "password_too_long"), (256, "password_too_long")] {
                ways.refuse(world, &kind.repeat(count), reason).await;
            }
        }
        ways.refuse(world, "", "password_too_short").await;
        // 64 and 128 characters are taken, and none of them is cut off.
        let base = password();
        let filled = |kind: &str, count: usize| format!("{base}{}", kind.repeat(count - base.chars().count()));
        let (letters, signs, accents) = (filled("k", 64), filled("🜂", 128), filled("e\u{301}", 128));
        world.browser().post(ACTIVATE, json!({ "token": ways.activation, "password": letters })).await.expect(200);
        world.browser().post(RESET, json!({ "token": ways.reset, "password": signs })).await.expect(200);
        ways.person.browser.post(CHANGE, changing(&ways.person.password, &accents)).await.expect(204);
        for (email, password) in [(&ways.invited, letters), (&ways.forgetful.email, signs), (&ways.person.email, accents)] {
            assert_eq!(sign_in(world, email, &password).await, 200);
            let mut shorter = password;
            shorter.pop();
            assert_eq!(sign_in(world, email, &shorter).await, 401);
        }
    }

    async fn pwd_02_passwords_are_taken_as_they_are_typed(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let mut current = person.password.clone();
        for typed in ["tqvzkwmrplxjyhgfdsbn", "  spaces  around it  ", "пароль-не-простой-42"] {
            person.browser.post(CHANGE, changing(&current, typed)).await.expect(204);
            current = typed.to_owned();
            assert_eq!(sign_in(world, &person.email, typed).await, 200, "{typed}");
            for other in [typed.trim(), &typed.to_uppercase(), &typed.replace("  ", " "), &format!("{typed} ")] {
                assert_eq!(sign_in(world, &person.email, other).await == 200, other == typed, "{typed} is not {other}");
            }
        }
    }

    async fn pwd_03_what_is_guessed_first_is_refused_on_every_path(world) {
        let ways = Ways::open(world).await;
        // Everybody here is invited as Robin Miller, and the tenant is called Blue Harbour.
        for weak in ["passwordpassword", "123456789012345", "qwertyuiopasdfgh", "porticoportico", "xq-MILLER-7731-zz", "aaaaaaaaaaaaaaaa"] {
            ways.refuse(world, weak, "password_weak").await;
        }
        let mine = |email: &str| format!("Zq7-{}-Zq7", email.split('@').next().unwrap().to_uppercase());
        let activate = json!({ "token": ways.activation, "password": mine(&ways.invited) });
        let reset = json!({ "token": ways.reset, "password": mine(&ways.forgetful.email) });
        let change = changing(&ways.person.password, &mine(&ways.person.email));
        for (browser, path, body) in [(&world.browser(), ACTIVATE, activate), (&world.browser(), RESET, reset), (&ways.person.browser, CHANGE, change)] {
            let problem = browser.post(path, body).await.problem(422, "validation_failed");
            assert_eq!(problem["errors"][0]["code"], "password_weak", "{path}");
        }
    }

    async fn pwd_04_the_whole_password_counts(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let typed = format!("{}{}", password(), "-long-tail".repeat(7));
        assert!(typed.len() >= 90);
        person.browser.post(CHANGE, changing(&person.password, &typed)).await.expect(204);
        for wrong in [&typed[..64], &typed[..72], &typed[..typed.len() - 1], &format!("{typed}x")] {
            assert_eq!(sign_in(world, &person.email, wrong).await, 401, "{wrong}");
        }
        assert_eq!(sign_in(world, &person.email, &typed).await, 200);
        // NUL, which ends a text in some languages, is no character anywhere.
        let cut = format!("{typed}\0tail");
        let body = json!({ "email": person.email, "password": cut });
        world.browser().post(SIGN_IN, body).await.problem(400, "malformed_request");
        person.browser.post(CHANGE, changing(&typed, &cut)).await.problem(400, "malformed_request");
    }

    async fn pwd_08_a_change_needs_the_current_password_and_ends_the_other_sessions(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let elsewhere = world.browser();
        person.sign_in(&elsewhere).await;
        let link = person.request_reset(world, 2).await;
        let new = password();
        world.browser().post(CHANGE, changing("x", "y")).await.problem(401, "unauthenticated");
        assert_eq!(person.browser.post(CHANGE, json!({ "new_password": new })).await.bad_fields(), ["/current_password"]);
        person.browser.post(CHANGE, changing("not my password", &new)).await.problem(401, "invalid_credentials");
        let weak = person.browser.post(CHANGE, changing(&person.password, "short")).await;
        assert_eq!(weak.bad_fields(), ["/new_password"]);
        elsewhere.get("/api/portal/auth/session").await.expect(200);
        person.browser.post(CHANGE, changing(&person.password, &new)).await.expect(204);

        person.browser.get("/api/portal/auth/session").await.expect(200);
        person.browser.call("/api/portal/auth/refresh").await.expect(200);
        elsewhere.get("/api/portal/auth/session").await.problem(401, "session_revoked");
        elsewhere.call("/api/portal/auth/refresh").await.problem(401, "session_revoked");
        let reset = json!({ "token": link, "password": password() });
        world.browser().post(RESET, reset).await.problem(410, "token_revoked");
        assert_eq!(sign_in(world, &person.email, &person.password).await, 401);
        assert_eq!(sign_in(world, &person.email, &new).await, 200);
        let notice = world.mail(&person.email, 3).await;
        assert!(notice.subject.contains("was changed") && !notice.text.contains("token="), "{notice:?}");
    }

    async fn pwd_09_every_keyboard_types_the_same_password(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let base = password();
        let (composed, decomposed) = (format!("Zo\u{e9} {base}"), format!("Zoe\u{301} {base}"));
        let both_sign_in = async || {
            assert_eq!(sign_in(world, &person.email, &composed).await, 200);
            assert_eq!(sign_in(world, &person.email, &decomposed).await, 200);
        };
        person.browser.post(CHANGE, changing(&person.password, &composed)).await.expect(204);
        both_sign_in().await;
        // The other way round, where the current one too is typed at another keyboard.
        person.browser.post(CHANGE, changing(&decomposed, &password())).await.expect(204);
        let token = person.request_reset(world, 4).await;
        world.browser().post(RESET, json!({ "token": token, "password": decomposed })).await.expect(200);
        both_sign_in().await;
    }

    // Every operation of the document that takes a body, each of its fields with what it should not hold.
    async fn pwd_10_no_answer_repeats_what_was_sent(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let document = world.browser().get("/api/openapi.json").await.expect(200);
        let canary = "canary-K7w-quartz";
        let bad = |value: Value, fields: &[String]| fields.iter().map(|name| (name.clone(), value.clone())).collect::<Value>();
        let mut operations = 0;
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let Some(content) = operation["requestBody"]["content"].as_object() else { continue };
                operations += 1;
                let schema = content.values().next().unwrap()["schema"]["$ref"].as_str().unwrap();
                let schema = &document["components"]["schemas"][schema.rsplit('/').next().unwrap()];
                let fields: Vec<String> = schema["properties"].as_object().unwrap().keys().cloned().collect();
                let mut bodies = vec![
                    json!(canary), json!([canary]), json!({ "other": canary }),
                    bad(json!([canary]), &fields), bad(json!({ "x": canary }), &fields), bad(json!({ "x": [canary] }), &fields),
                ];
                if path.contains("/auth/") {
                    bodies.push(bad(json!(canary), &fields));
                }
                let mut texts: Vec<String> = bodies.iter().map(Value::to_string).collect();
                texts.extend([format!("{{\"token\":\"{canary}\",\"token\":\"{canary}\"}}"), format!("{{\"password\":\"{canary}"), canary.to_owned()]);
                for text in texts {
                    let from = if path.starts_with("/api/v1") { tenant.owner.on_new_network() } else { person.browser.on_new_network() };
                    let path = path.replace("{client_id}", &person.client);
                    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                    let answer = from.send(method, &path, Some(text.clone()), &[]).await;
                    assert!((400..500).contains(&answer.status) || path.contains("sign-out"), "{path} {text}: {answer:?}");
                    assert!(!format!("{:?} {}", answer.headers, answer.text).contains("canary"), "{path} {text}: {answer:?}");
                }
            }
        }
        assert!(operations >= 13, "{operations}");
    }

    async fn pwd_12_many_sign_ins_of_one_person_at_once_all_succeed(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let bodies = (0..20).map(|_| Some(json!({ "email": person.email, "password": person.password }))).collect();
        let browsers = (0..20).map(|_| world.browser()).collect();
        assert_eq!(all_at_once(browsers, SIGN_IN, bodies).await, BTreeMap::from([(200, 20)]));
    }
}

// Two replicas of one cost and one of another make the hash anew over and over, in each other's way.
#[tokio::test]
async fn pwd_12_hashes_made_anew_at_once_stay_right() {
    let mut world = World::start(Deployment::Cluster, &[]).await;
    world.env.push(("PORTICO_SCRYPT".into(), "ln=13,r=8,p=1".into()));
    world.start_api("api").await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let bodies: Vec<_> = (0..20).map(|_| Some(json!({ "email": person.email, "password": person.password }))).collect();
    let browsers = (0..20).map(|_| world.browser()).collect();
    assert_eq!(all_at_once(browsers, SIGN_IN, bodies).await, BTreeMap::from([(200, 20)]));
    let at = |apis: &[String]| -> Browser { world.browser().at(apis) };
    let url = &world.env.iter().find(|(name, _)| name == "DATABASE_URL").unwrap().1;
    let sql = format!("SELECT left(password_phc, 14) FROM portal_users WHERE email = '{}'", person.email);
    for (apis, cost) in [(&world.apis[..1], "$scrypt$ln=12,"), (&world.apis[2..], "$scrypt$ln=13,")] {
        person.sign_in(&at(apis)).await;
        assert_eq!(psql(url, &sql), cost);
        person.sign_in(&at(apis)).await;
    }
}
