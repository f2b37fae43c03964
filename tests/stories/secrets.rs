//! No secret is anywhere but where it must be: the search of LOG-01 through everything that a world leaves behind.
//!
//! Every world is also searched at its end, and the shared ones after each story; see `support/secrets.rs`.

use serde_json::json;

use crate::support::{
    Deployment, World, eventually, password,
    secrets::{self, Class, Search},
    unique,
};

/// The whole path, with every way to fail that is at hand.
async fn use_everything(world: &World) {
    let tenant = world.tenant().await;
    let person = tenant.person(world).await;
    let anybody = world.browser();
    let (wrong, new, newer) = (format!("wrong-{}", password()), password(), password());
    // Secrets in the wrong place, of the wrong type, or just wrong.
    let sign_in = "/api/portal/auth/sign-in";
    anybody.post(sign_in, json!({ "email": person.email, "password": wrong, "client_id": wrong })).await.expect(422);
    anybody.post(sign_in, json!({ "email": wrong, "password": wrong })).await.expect(422);
    anybody.post(sign_in, json!({ "email": person.email, "password": [wrong] })).await.expect(422);
    anybody.post(sign_in, json!({ "email": person.email, "password": wrong })).await.expect(401);
    let torn = json!({ "email": person.email, "password": wrong }).to_string();
    let torn = Some(torn[..torn.len() - 1].to_owned());
    anybody.send(reqwest::Method::POST, sign_in, torn, &[]).await.expect(400);
    person.sign_in(&world.browser()).await;
    let reset = person.request_reset(world, 2).await;
    tenant.invited(world, &person.client, &format!("{}@x.test", unique("invited"))).await;
    anybody.get(&format!("/api/portal/auth/session?token={reset}")).await.expect(422);
    let path = "/api/portal/auth/reset-password";
    anybody.post(path, json!({ "token": reset, "password": { "x": reset } })).await.expect(422);
    anybody.post(path, json!({ "token": reset, "password": new })).await.expect(200);
    anybody.post(path, json!({ "token": reset, "password": newer })).await.expect(410);
    world.mail(&person.email, 3).await;
    // Codes right and wrong, a session that is refreshed, copied and ended.
    let sent = anybody.post("/api/staff/auth/send-code", json!({ "email": tenant.owner_email })).await.expect(200);
    let code = world.mail(&tenant.owner_email, 2).await.code.unwrap();
    let miss = format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000);
    for (code, status) in [(miss, 401), (code, 200)] {
        let body = json!({ "flow": sent["flow"], "code": code });
        anybody.post("/api/staff/auth/verify-code", body).await.expect(status);
    }
    let browser = world.browser();
    browser.post(sign_in, json!({ "email": person.email, "password": new })).await.expect(200);
    let copied = browser.cookie("portico_portal_refresh").unwrap();
    for _ in 0..2 {
        browser.call("/api/portal/auth/refresh").await.expect(200);
    }
    let thief = world.browser();
    thief.set_cookie("portico_portal_refresh", &copied);
    thief.call("/api/portal/auth/refresh").await.expect(401);
    for header in [format!("Basic {}", password()), format!("Bearer {}", unique("not-a-token-but-somebody-thought-so"))]
    {
        let session = "/api/portal/auth/session";
        anybody.send(reqwest::Method::GET, session, None, &[("authorization", &header)]).await.expect(401);
    }
    browser.post(sign_in, json!({ "email": person.email, "password": new })).await.expect(200);
    let change = json!({ "current_password": wrong, "new_password": newer });
    browser.post("/api/portal/auth/change-password", change).await.expect(401);
}

/// The mail server refuses our password, and the database a statement.
async fn break_things(world: &World) {
    let tenant = world.tenant().await;
    let person = tenant.person(world).await;
    if let Some(sink) = &world.sink {
        // What is idle in the pool has said its password already, so it is cut off first.
        sink.fail(json!([
            { "stage": "mail", "do": "drop", "times": 1 },
            { "stage": "auth", "do": "reject", "code": 535, "times": 1 },
        ]))
        .await;
        person.request_reset(world, 2).await;
        sink.heal().await;
    }
    world.sql("ALTER TABLE sessions RENAME TO sessions_away");
    let body = json!({ "email": person.email, "password": person.password });
    // Not by a browser, which holds every answer against the document: this failure is none that a client could cause.
    let http = reqwest::Client::new();
    let cookies = ["portico_portal", "portico_portal_refresh"]
        .map(|name| format!("{name}={}", person.browser.cookie(name).unwrap()))
        .join("; ");
    for path in ["sign-in", "refresh", "sign-out", "sign-out-everywhere"] {
        let url = format!("{}/api/portal/auth/{path}", world.apis[0]);
        let request = http.post(url).header("content-type", "application/json").header("cookie", &cookies);
        let failed = request.body(body.to_string()).send().await.unwrap();
        assert!(failed.status().is_server_error(), "{path} {failed:?}");
        secrets::saw_refusal(format!("{:?} {}", failed.headers().clone(), failed.text().await.unwrap()));
    }
    world.sql("ALTER TABLE sessions_away RENAME TO sessions");
    world.browser().post("/api/portal/auth/sign-in", body).await.expect(200);
}

/// Searches everything and says, class by class, how many secrets were looked for and how many found.
async fn search(world: &World) {
    let mark = secrets::Checkpoint::default();
    let mut search = Search::since(mark);
    search.look("the log", &world.logs().join("\n"));
    search.look("the database", &world.dump());
    search.look_through_refusals(mark);
    if let Some(redis) = &world.redis {
        for key in redis.run(&["KEYS", "*"]).split_whitespace() {
            assert!(key.starts_with("portico:lane:"), "{key}");
            search.look("Redis", &redis.run(&["ZRANGE", key, "0", "-1", "WITHSCORES"]));
        }
        // They were held up so that something lies there; now they must answer.
        world.workers().iter().for_each(|worker| worker.signal("CONT"));
    }
    for inside in world.internals().await {
        for path in ["metrics", "health/ready", "health/live"] {
            let answer = reqwest::get(format!("{inside}/{path}")).await.unwrap();
            search.look(path, &answer.text().await.unwrap());
        }
    }
    for (class, (looked_for, found)) in search.summary() {
        eprintln!("{class:?}: {looked_for} looked for, {found} found");
    }
    let classes: Vec<_> = search.summary().into_keys().collect();
    let mut all = vec![
        Class::Password,
        Class::LinkToken,
        Class::Code,
        Class::AccessToken,
        Class::RefreshToken,
        Class::DeviceCookie,
        Class::Authorization,
        Class::ServerKey,
    ];
    if world.redis.is_some() {
        all.extend([Class::MailCredential, Class::DatabaseCredential, Class::RedisCredential]);
    }
    assert!(all.iter().all(|class| classes.contains(class)), "some were never used: {classes:?}");
    search.assert_clean();
}

#[tokio::test]
async fn log_01_one_process_leaves_no_secret_anywhere() {
    let world = World::start(Deployment::Single, &[]).await;
    use_everything(&world).await;
    break_things(&world).await;
    search(&world).await;
}

#[tokio::test]
async fn log_01_a_fleet_leaves_no_secret_anywhere() {
    let world = World::start(Deployment::Cluster, &[]).await;
    use_everything(&world).await;
    break_things(&world).await;
    // Addresses have no business in jobs, nor whatever else is not an id.
    let payloads = world.sql("SELECT payload FROM background_jobs");
    assert!(!payloads.contains('@') && payloads.contains("email"), "{payloads}");
    // What Redis holds, it holds while nobody takes it out.
    for worker in world.workers() {
        worker.signal("STOP");
    }
    for _ in 0..10 {
        let body = json!({ "email": format!("{}@x.test", unique("nobody")) });
        world.browser().post("/api/portal/auth/forgot-password", body).await.expect(200);
    }
    eventually("ids lie in Redis", || async { (!world.redis().run(&["KEYS", "*"]).trim().is_empty()).then_some(()) })
        .await;
    search(&world).await;
}
