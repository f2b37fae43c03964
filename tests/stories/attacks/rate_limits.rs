//! Guessing and flooding are limited on every path, exactly and alike for strangers.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::all_at_once,
    support::{Browser, Deployment, World, eventually, password, psql, stories, unique},
};

const SIGN_IN: &str = "/api/portal/auth/sign-in";
const CHANGE: &str = "/api/portal/auth/change-password";
const SESSION: &str = "/api/portal/auth/session";

fn wrong(email: &str) -> Value {
    json!({ "email": email, "password": "not the password" })
}

/// The statuses of `count` wrong guesses at this address.
async fn guesses(browser: &Browser, email: &str, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(browser.post(SIGN_IN, wrong(email)).await.status);
    }
    statuses
}

/// `count` refusals for being wrong, and then one for being too many.
fn shut_after(count: usize) -> Vec<u16> {
    [vec![401; count], vec![429]].concat()
}

stories! {
    async fn thr_03_a_proxys_word_counts_and_the_clients_does_not(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        // What each browser says itself stands to the left of what the proxy adds.
        let from = async |email: &str, proxy: &str| {
            let body = wrong(email).to_string();
            world.browser().send(Method::POST, SIGN_IN, Some(body), &[("x-forwarded-for", proxy)]).await.status
        };
        let spellings = [
            vec!["192.0.2.77", "::ffff:192.0.2.77", "192.0.2.77:4711", "[::FFFF:192.0.2.77]:80", " 192.0.2.77 "],
            vec!["2001:db8:1:2::1", "2001:DB8:1:2:3:4:5:6", "[2001:db8:1:2:ffff::]:443", "2001:db8:1:2::2%eth0", "2001:0db8:0001:0002::9"],
        ];
        for (spellings, other) in spellings.iter().zip(["192.0.2.78", "2001:db8:1:3::1"]) {
            for spelling in spellings {
                assert_eq!(from(&person.email, spelling).await, 401, "{spelling}");
            }
            for spelling in spellings {
                assert_eq!(from(&person.email, spelling).await, 429, "{spelling}");
            }
            assert_eq!(from(&person.email, other).await, 401, "{other} is another network");
        }
    }

    async fn thr_08_a_success_elsewhere_does_not_refill_the_budget(world) {
        let tenant = world.tenant().await;
        let (mine, victim) = (tenant.person(world).await, tenant.person(world).await);
        let guesser = world.browser();
        for guess in 0..5 {
            guesser.post(SIGN_IN, wrong(&victim.email)).await.problem(401, "invalid_credentials");
            if guess % 2 == 1 {
                mine.sign_in(&guesser.on_same_network()).await;
            }
        }
        guesser.post(SIGN_IN, wrong(&victim.email)).await.problem(429, "too_many_requests");
    }

    // 30/15m for a network, over all addresses and both replicas, whoever signs in beside it.
    async fn thr_09_spraying_from_one_network_ends_at_its_limit(world) {
        let tenant = world.tenant().await;
        let (mine, last) = (tenant.person(world).await, tenant.person(world).await);
        let guesser = world.browser();
        for n in 0..30 {
            let victim = format!("{}@x.test", unique("victim"));
            guesser.post(SIGN_IN, wrong(&victim)).await.problem(401, "invalid_credentials");
            if n % 10 == 5 {
                mine.sign_in(&guesser.on_same_network()).await;
            }
        }
        guesser.post(SIGN_IN, wrong(&last.email)).await.problem(429, "too_many_requests");
        last.sign_in(&world.browser()).await;
    }

    async fn thr_09_guesses_sent_at_once_are_counted_one_by_one(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let guesser = world.browser();
        let browsers = (0..20).map(|_| guesser.on_same_network()).collect();
        let counts = all_at_once(browsers, SIGN_IN, vec![Some(wrong(&person.email)); 20]).await;
        assert_eq!(counts, BTreeMap::from([(401, 5), (429, 15)]));
    }

    async fn thr_09_many_bad_tokens_shut_the_network_out_for_a_while(world) {
        // A limit of each process.
        let guesser = world.browser().at(&world.apis[..1]);
        let guess = || guesser.send(Method::GET, SESSION, None, &[("authorization", "Bearer x.y.z")]);
        for _ in 0..61 {
            guess().await.problem(401, "unauthenticated");
        }
        guess().await.problem(429, "too_many_requests");
        guesser.get("/health/live").await.expect(200);
    }

    async fn thr_10_a_throttled_password_is_throttled_wherever_it_can_be_guessed(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        // A thief has the session's cookies, but not the device's.
        let thief = world.browser();
        for name in ["portico_portal", "portico_portal_refresh"] {
            thief.set_cookie(name, &person.browser.cookie(name).unwrap());
        }
        let change = |current: &str| json!({ "current_password": current, "new_password": password() });
        for _ in 0..3 {
            thief.post(CHANGE, change("not the password")).await.problem(401, "invalid_credentials");
        }
        assert_eq!(guesses(&thief.on_same_network(), &person.email, 3).await, shut_after(2));
        thief.post(CHANGE, change(&person.password)).await.problem(429, "too_many_requests");
        // A mailed link does not need the password, so it is not in the way of the owner.
        let token = person.request_reset(world, 2).await;
        let reset = json!({ "token": token, "password": password() });
        thief.on_same_network().post("/api/portal/auth/reset-password", reset).await.expect(200);
    }

    async fn thr_14_many_guesses_in_one_request_are_none(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let browser = world.browser();
        let two = json!({ "email": person.email, "password": ["a", "b"] });
        let send = async |body: &str, content_type: &str| {
            browser.send(Method::POST, SIGN_IN, Some(body.to_owned()), &[("content-type", content_type)]).await
        };
        assert_eq!(browser.post(SIGN_IN, two).await.bad_fields(), ["/password"]);
        assert_eq!(browser.post(SIGN_IN, json!([wrong(&person.email), wrong(&person.email)])).await.bad_fields(), [""]);
        let line = wrong(&person.email).to_string();
        send(&format!("{line}\n{line}"), "application/json").await.problem(400, "malformed_request");
        send(&format!("{line}\n{line}"), "application/x-ndjson").await.problem(415, "unsupported_media_type");
        send("email=a@x.test&password=a&password=b", "application/x-www-form-urlencoded").await.problem(415, "unsupported_media_type");
        let twice = r#"{"email":"a@x.test","password":"a","password":"b"}"#;
        send(twice, "application/json").await.problem(400, "malformed_request");
        // None of them was a guess.
        assert_eq!(guesses(&browser, &person.email, 6).await, shut_after(5));
    }
}

#[tokio::test]
async fn thr_01_guessing_closes_the_password_until_a_reset_opens_it() {
    let settings = [("PORTICO_LIMIT_SIGN_IN_LOCKOUT", "4"), ("PORTICO_LIMIT_SIGN_IN_ACCOUNT", "100/1m")];
    let world = World::start(Deployment::Single, &settings).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    // From networks of their own, and by both ways to try a password.
    for _ in 0..2 {
        world.browser().post(SIGN_IN, wrong(&person.email)).await.problem(401, "invalid_credentials");
        let thief = world.browser();
        thief.set_cookie("portico_portal", &person.browser.cookie("portico_portal").unwrap());
        let change = json!({ "current_password": "not the password", "new_password": password() });
        thief.post(CHANGE, change).await.problem(401, "invalid_credentials");
    }
    let right = json!({ "email": person.email, "password": person.password });
    for _ in 0..3 {
        world.browser().post(SIGN_IN, right.clone()).await.problem(401, "invalid_credentials");
    }
    let notice = world.mail(&person.email, 2).await;
    assert_eq!(notice.subject, "Your password for Blue Harbour was closed");
    person.browser.get(SESSION).await.expect(200);
    // What a stranger has closed stays open for a device that the owner has used before.
    let known = world.browser();
    known.set_cookie("portico_device", &person.browser.cookie("portico_device").unwrap());
    person.sign_in(&known).await;
    // That device has a row of its own, and it ends with the old password.
    assert_eq!(guesses(&known, &person.email, 5).await, [401; 5]);
    known.post(SIGN_IN, right).await.problem(401, "invalid_credentials");

    let new = password();
    let token = person.request_reset(&world, 3).await;
    let reset = json!({ "token": token, "password": new });
    world.browser().post("/api/portal/auth/reset-password", reset).await.expect(200);
    for browser in [&world.browser(), &known] {
        browser.post(SIGN_IN, json!({ "email": person.email, "password": new })).await.expect(200);
    }

    // As a change does, from a device of the owner's.
    for _ in 0..5 {
        world.browser().post(SIGN_IN, wrong(&person.email)).await.problem(401, "invalid_credentials");
    }
    let newest = password();
    known.post(CHANGE, json!({ "current_password": new, "new_password": newest })).await.expect(204);
    world.browser().post(SIGN_IN, json!({ "email": person.email, "password": newest })).await.expect(200);

    // Guesses at somebody who has no password yet do not close the one they choose.
    let invited = format!("{}@x.test", unique("invited"));
    for _ in 0..6 {
        world.browser().post(SIGN_IN, wrong(&invited)).await.problem(401, "invalid_credentials");
    }
    let (token, chosen) = (tenant.invited(&world, &person.client, &invited).await, password());
    let body = json!({ "token": token, "password": chosen });
    world.browser().post("/api/portal/auth/activate", body).await.expect(200);
    world.browser().post(SIGN_IN, json!({ "email": invited, "password": chosen })).await.expect(200);
}

// Nothing in the API disables a person yet, so the row is changed by hand.
#[tokio::test]
async fn thr_10_a_disabled_person_is_refused_everywhere() {
    let world = World::shared(Deployment::Cluster).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let link = person.request_reset(&world, 2).await;
    let url = &world.env.iter().find(|(name, _)| name == "DATABASE_URL").unwrap().1;
    psql(url, &format!("UPDATE portal_users SET disabled_at = now() WHERE email = '{}'", person.email));
    person.browser.get(SESSION).await.problem(401, "session_revoked");
    person.browser.call("/api/portal/auth/refresh").await.problem(401, "session_revoked");
    let change = json!({ "current_password": person.password, "new_password": password() });
    person.browser.post(CHANGE, change).await.problem(401, "session_revoked");
    let body = json!({ "email": person.email, "password": person.password });
    world.browser().post(SIGN_IN, body).await.problem(401, "invalid_credentials");
    let reset = json!({ "token": link, "password": password() });
    world.browser().post("/api/portal/auth/reset-password", reset).await.problem(410, "token_revoked");
    for path in ["forgot-password", "resend-activation"] {
        let body = json!({ "email": person.email });
        world.browser().post(&format!("/api/portal/auth/{path}"), body).await.expect(200);
    }
    // Somebody asked later has theirs, and this person still has none.
    let later = tenant.person(&world).await;
    later.request_reset(&world, 2).await;
    assert_eq!(world.mails(&person.email).await.len(), 2);
}

#[tokio::test]
async fn thr_11_after_the_wait_that_429_names_a_guess_is_looked_at_again() {
    let world = World::start(Deployment::Single, &[("PORTICO_LIMIT_SIGN_IN_ACCOUNT", "2/4s")]).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let guesser = world.browser();
    assert_eq!(guesses(&guesser, &person.email, 2).await, [401; 2]);
    let refused = guesser.post(SIGN_IN, wrong(&person.email)).await;
    assert_eq!(refused.headers["ratelimit-policy"], "\"sign_in_account\";q=2;w=4");
    let refused = refused.problem(429, "too_many_requests");
    assert!((1..=2).contains(&refused["retry_after"].as_u64().unwrap()), "{refused}");
    let right = json!({ "email": person.email, "password": person.password });
    eventually("it is looked at again", || async {
        let answer = guesser.post(SIGN_IN, right.clone()).await;
        (answer.status != 429).then(|| answer.expect(200))
    })
    .await;
}

#[tokio::test]
async fn thr_13_limits_hold_while_redis_is_down() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    world.redis().process.kill();
    let guesser = world.browser();
    assert_eq!(guesses(&guesser, &person.email, 12).await, [vec![401; 5], vec![429; 7]].concat());
    person.sign_in(&world.browser()).await;
}

// A request that the database interrupts is run again, up to three times; what it has counted for good is not counted again.
#[tokio::test]
async fn thr_01_a_guess_that_cannot_be_written_down_counts_once() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let browser = world.browser();
    let sent = browser.post("/api/staff/auth/send-code", json!({ "email": tenant.owner_email })).await.expect(200);
    let flow = sent["flow"].as_str().unwrap();
    world.sql(
        "CREATE FUNCTION give_way() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION USING ERRCODE = 'serialization_failure'; END $$;
         CREATE TRIGGER give_way BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION give_way()",
    );
    browser.post(SIGN_IN, wrong(&person.email)).await.expect(503);
    browser.post("/api/staff/auth/verify-code", json!({ "flow": flow, "code": "000000" })).await.expect(503);
    assert_eq!(world.sql("SELECT max(count) FROM rate_limits WHERE key LIKE 'sign_in_lockout:%'"), "1");
    assert_eq!(world.sql(&format!("SELECT misses FROM code_flows WHERE id = '{flow}'")), "1");
}
