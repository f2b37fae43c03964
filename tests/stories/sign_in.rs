//! Signing in, and being kept from guessing.

use serde_json::json;

use crate::support::{Shape, World, password, stories, unique};

const SIGN_IN: &str = "/api/portal/auth/sign-in";

stories! {
    // ENUM-01, INV-05
    async fn every_failure_looks_the_same(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let invited = format!("{}@x.test", unique("invited"));
        tenant.invited(world, &person.client, &invited).await;
        let stranger = format!("{}@x.test", unique("stranger"));
        let elsewhere = tenant.client("Elsewhere").await;
        let attempts = [
            json!({ "email": person.email, "password": "not the password" }),
            json!({ "email": stranger, "password": "not the password" }),
            json!({ "email": invited, "password": "not the password" }),
            json!({ "email": person.email, "password": person.password, "client_id": elsewhere }),
        ];
        let mut seen = Vec::new();
        for attempt in attempts {
            let answer = world.browser().post(SIGN_IN, attempt).await;
            let names: Vec<_> = answer.headers.keys().map(|name| name.to_string()).collect();
            let mut problem = answer.problem(401, "invalid_credentials");
            problem["request_id"].take();
            seen.push((problem.to_string(), names));
        }
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:#?}");
    }

    // ENUM-09, THR-11
    async fn five_wrong_guesses_close_the_door_to_that_network_alone(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let guesser = world.browser();
        let wrong = json!({ "email": person.email, "password": "not the password" });
        let right = json!({ "email": person.email, "password": person.password });
        for _ in 0..5 {
            guesser.post(SIGN_IN, wrong.clone()).await.problem(401, "invalid_credentials");
        }
        let refused = guesser.post(SIGN_IN, wrong.clone()).await.problem(429, "too_many_requests");
        assert!((1..=180).contains(&refused["retry_after"].as_u64().unwrap()), "{refused}");
        guesser.post(SIGN_IN, right.clone()).await.problem(429, "too_many_requests");
        // The owner at another network, and at a known device even in the same network, is not locked out.
        world.browser().post(SIGN_IN, right.clone()).await.expect(200);
        let known = guesser.neighbour();
        known.set_cookie("portico_device", &person_device(&person, world).await);
        known.post(SIGN_IN, right).await.expect(200);
    }

    // THR-08
    async fn a_success_elsewhere_does_not_refill_the_budget(world) {
        let tenant = world.tenant().await;
        let (mine, victim) = (tenant.person(world).await, tenant.person(world).await);
        let guesser = world.browser();
        let wrong = json!({ "email": victim.email, "password": "not the password" });
        for guess in 0..5 {
            guesser.post(SIGN_IN, wrong.clone()).await.problem(401, "invalid_credentials");
            if guess % 2 == 1 {
                mine.sign_in(&guesser.neighbour()).await;
            }
        }
        guesser.post(SIGN_IN, wrong).await.problem(429, "too_many_requests");
    }

    // THR-14
    async fn many_guesses_in_one_request_are_none(world) {
        let browser = world.browser();
        let two = json!({ "email": "a@x.test", "password": ["a", "b"] });
        assert_eq!(browser.post(SIGN_IN, two).await.bad_fields(), ["/password"]);
        assert_eq!(browser.post(SIGN_IN, json!([{ "email": "a@x.test", "password": "a" }])).await.bad_fields(), [""]);
        let twice = r#"{"email":"a@x.test","password":"a","password":"b"}"#.to_owned();
        browser.send(reqwest::Method::POST, SIGN_IN, Some(twice), &[]).await.problem(400, "malformed_request");
    }
}

async fn person_device(person: &crate::support::Person, world: &World) -> String {
    let browser = world.browser();
    person.sign_in(&browser).await;
    browser.cookie("portico_device").expect("sign-in makes a device known")
}

// THR-01
#[tokio::test]
async fn guessing_closes_the_password_until_a_reset_opens_it() {
    let settings = [("PORTICO_LIMIT_SIGN_IN_CLOSE", "4"), ("PORTICO_LIMIT_SIGN_IN_ACCOUNT", "100/1m")];
    let world = World::start(Shape::Alone, &settings).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let wrong = json!({ "email": person.email, "password": "not the password" });
    for _ in 0..4 {
        world.browser().post(SIGN_IN, wrong.clone()).await.problem(401, "invalid_credentials");
    }
    let right = json!({ "email": person.email, "password": person.password });
    world.browser().post(SIGN_IN, right).await.problem(401, "invalid_credentials");
    let notice = world.mail(&person.email, 2).await;
    assert_eq!(notice.subject, "Your password for Blue Harbour was closed");
    person.browser.get("/api/portal/auth/session").await.expect(200);
    // What a stranger has closed stays open for a device that the owner has used before.
    let known = world.browser();
    known.set_cookie("portico_device", &person.browser.cookie("portico_device").unwrap());
    person.sign_in(&known).await;
    // That device has a row of its own, and it ends with the old password.
    for _ in 0..5 {
        known.post(SIGN_IN, wrong.clone()).await.problem(401, "invalid_credentials");
    }
    let right = json!({ "email": person.email, "password": person.password });
    known.post(SIGN_IN, right).await.problem(401, "invalid_credentials");

    let new = password();
    let token = person.forgets(&world, 3).await;
    let reset = json!({ "token": token, "password": new });
    world.browser().post("/api/portal/auth/reset-password", reset).await.expect(200);
    for browser in [&world.browser(), &known] {
        browser.post(SIGN_IN, json!({ "email": person.email, "password": new })).await.expect(200);
    }

    // Guesses at somebody who has no password yet do not close the one they choose.
    let invited = format!("{}@x.test", unique("invited"));
    for _ in 0..6 {
        let wrong = json!({ "email": invited, "password": "not the password" });
        world.browser().post(SIGN_IN, wrong).await.problem(401, "invalid_credentials");
    }
    let (token, chosen) = (tenant.invited(&world, &person.client, &invited).await, password());
    let body = json!({ "token": token, "password": chosen });
    world.browser().post("/api/portal/auth/activate", body).await.expect(200);
    world.browser().post(SIGN_IN, json!({ "email": invited, "password": chosen })).await.expect(200);
}
