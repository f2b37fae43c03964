//! What operators rely on: ids that can be followed, keys that can be rotated, costs that can be raised.

use reqwest::Method;
use serde_json::json;

use crate::support::{Deployment, World, eventually, password};

#[tokio::test]
async fn a_request_id_leads_to_the_job_that_it_caused() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let id = "01a1fdba-f86f-76f5-b296-4e548b3691ab";
    let body = json!({ "email": person.email }).to_string();
    let headers = [("x-request-id", id)];
    world.browser().send(Method::POST, "/api/portal/auth/forgot-password", Some(body), &headers).await.expect(200);
    eventually("a worker names it", || async {
        let said = world.workers().iter().flat_map(|worker| worker.logs());
        said.into_iter().any(|line| line.contains(id) && line.contains("mail accepted")).then_some(())
    })
    .await;
}

/// Starts the one process anew with these settings changed.
async fn restart(world: &mut World, settings: &[(&str, &str)]) {
    world.processes.clear();
    world.apis.clear();
    world.env.retain(|(name, _)| !settings.iter().any(|(set, _)| set == name));
    world.env.extend(settings.iter().map(|(name, value)| (name.to_string(), value.to_string())));
    world.start_api("dev").await;
}

#[tokio::test]
async fn rotating_the_server_key_ends_nothing_and_a_dearer_hash_comes_with_the_next_sign_in() {
    let (old, new) = ("b2xkLXNlcnZlci1rZXktb2xkLXNlcnZlci1rZXktb2xk", "bmV3LXNlcnZlci1rZXktbmV3LXNlcnZlci1rZXktbmV3");
    let settings = [("PORTICO_SECRET", old), ("PORTICO_PUBLIC_URL", "http://localhost:4000")];
    let mut world = World::start(Deployment::Single, &settings).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let reset = person.request_reset(&world, 2).await;

    let both = format!("{new},{old}");
    restart(&mut world, &[("PORTICO_SECRET", &both), ("PORTICO_SCRYPT", "ln=13,r=8,p=1")]).await;
    let browser = person.browser.moved_to(&world.apis);
    browser.get("/api/portal/auth/session").await.expect(200);
    browser.call("/api/portal/auth/refresh").await.expect(200);
    browser.get("/api/portal/auth/session").await.expect(200);
    person.sign_in(&world.browser()).await;
    person.sign_in(&world.browser()).await;
    let hash = |ln: &str| String::from_utf8_lossy(&database(&world)).contains(&format!("$scrypt$ln={ln},"));
    assert!(hash("13"), "made anew at the first sign-in, and still right at the second");
    let body = json!({ "token": reset, "password": password() });
    world.browser().post("/api/portal/auth/reset-password", body).await.expect(200);
}

fn database(world: &World) -> Vec<u8> {
    let read = |name: &str| std::fs::read(world.folder.path().join(name)).unwrap_or_default();
    [read("portico.db"), read("portico.db-wal")].concat()
}
