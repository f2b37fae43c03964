//! No secret is anywhere but where it must be: LOG-01, LOG-06, RST-12.

use serde_json::json;

use crate::support::{Shape, World, eventually, password, unique};

async fn use_everything(world: &World) -> Vec<String> {
    let mut secrets = Vec::new();
    let tenant = world.tenant().await;
    let person = tenant.person(world).await;
    let wrong = format!("wrong-{}", password());
    let body = json!({ "email": person.email, "password": wrong, "client_id": wrong });
    world.browser().post("/api/portal/auth/sign-in", body).await.expect(422);
    world
        .browser()
        .post("/api/portal/auth/sign-in", json!({ "email": person.email, "password": wrong }))
        .await
        .expect(401);
    let signed_in = person.sign_in(&world.browser()).await;
    let reset = person.forgets(world, 2).await;
    let invited = tenant.invited(world, &person.client, &format!("{}@x.test", unique("invited"))).await;
    world.browser().get(&format!("/api/portal/auth/session?token={reset}")).await.expect(422);
    let new = password();
    let body = json!({ "token": reset, "password": new });
    world.browser().post("/api/portal/auth/reset-password", body).await.expect(200);
    let body = json!({ "token": new, "password": { "x": reset } });
    let echo = world.browser().post("/api/portal/auth/reset-password", body).await;
    assert!(!echo.text.contains(&new) && !echo.text.contains(&reset));
    for name in ["portico_portal", "portico_portal_refresh"] {
        secrets.push(person.browser.cookie(name).unwrap());
    }
    for name in ["portico_staff", "portico_staff_refresh"] {
        secrets.push(tenant.owner.cookie(name).unwrap());
    }
    secrets.extend([
        person.password,
        wrong,
        new,
        reset,
        invited,
        signed_in["access_token"].as_str().unwrap().to_owned(),
    ]);
    secrets
}

fn assert_absent(secrets: &[String], place: &str, text: &str) {
    for (n, secret) in secrets.iter().enumerate() {
        assert!(!text.contains(secret), "secret {n} stands in {place}");
    }
}

#[tokio::test]
async fn alone() {
    let world = World::start(Shape::Alone, &[]).await;
    let mut secrets = use_everything(&world).await;
    secrets.push(std::fs::read_to_string(world.folder.path().join("data/secret")).unwrap().trim().to_owned());
    assert_absent(&secrets, "the log", &world.logs().join("\n"));
    for name in ["portico.db", "portico.db-wal"] {
        let bytes = std::fs::read(world.folder.path().join(name)).unwrap();
        assert_absent(&secrets, name, &String::from_utf8_lossy(&bytes));
    }
}

#[tokio::test]
async fn fleet() {
    let world = World::start(Shape::Fleet, &[]).await;
    for worker in world.workers() {
        worker.hears("it runs", |line| line.contains("worker started").then_some(())).await;
    }
    let mut secrets = use_everything(&world).await;
    secrets.push("cG9ydGljby1zdG9yaWVzLXBvcnRpY28tc3Rvcmllcy0=".into());
    assert_absent(&secrets, "the log", &world.logs().join("\n"));
    let url = &world.env.iter().find(|(name, _)| name == "DATABASE_URL").unwrap().1;
    let dump = std::process::Command::new("pg_dump").args(["--data-only", "--inserts", url]).output().unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    assert!(dump.stdout.len() > 1_000);
    assert_absent(&secrets, "the database", &String::from_utf8_lossy(&dump.stdout));
    // Addresses have no business in jobs, nor whatever else is not an id.
    let payloads = crate::support::psql(url, "SELECT payload FROM background_jobs");
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
    for key in world.redis().run(&["KEYS", "*"]).split_whitespace() {
        assert!(key.starts_with("portico:lane:"), "{key}");
        assert_absent(&secrets, "Redis", &world.redis().run(&["ZRANGE", key, "0", "-1"]));
    }
}
