//! Rotating the keys: the signing keys by `portico keys`, and the entries of `PORTICO_SECRET`.

use std::time::Duration;

use serde_json::Value;

use crate::{
    second_factors::{challenge, turn_on, verify},
    support::{
        Browser, Deployment, World,
        cookies::PORTAL_ACCESS,
        eventually, http, password,
        paths::{JWKS, MFA, SESSION},
        stories,
    },
};

const BOTH: [Deployment; 2] = [Deployment::Single, Deployment::Cluster];

/// The first entry of `PORTICO_SECRET` before and after its rotation.
const OLD: &str = "b2xkLXNlY3JldC1vZi1hLXBvcnRpY28tc3RvcnktLS0=";
const NEW: &str = "bmV3LXNlY3JldC1vZi1hLXBvcnRpY28tc3RvcnktLS0=";

/// The ids of the published keys, as each API publishes them.
async fn published(world: &World) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for api in &world.apis {
        let keys: Value = http::get(format!("{api}{JWKS}")).await.unwrap().json().await.unwrap();
        let kids = keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned());
        all.push(kids.collect());
    }
    all
}

/// The ids of the keys in this state, as `portico keys list` shows them.
fn listed(world: &World, state: &str) -> Vec<String> {
    let output = world.run(&["keys", "list"]);
    let rows = output.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row[1] == state).map(|row| row[0].to_owned()).collect()
}

/// The id of the key that signed the browser's access token.
fn kid(browser: &Browser) -> String {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    let token = browser.cookie(PORTAL_ACCESS).unwrap();
    let header = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

/// Waits until every process signs with the key `kid`. Processes follow within a minute.
async fn wait_until_signed_by(browser: &Browser, key: &str, apis: usize) {
    let started = std::time::Instant::now();
    let mut signed = 0;
    while signed < 3 * apis {
        browser.refresh().await.expect(200);
        signed = if kid(browser) == key { signed + 1 } else { 0 };
        assert!(started.elapsed() < Duration::from_secs(90), "not every process uses the key after 90 s");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

stories! {
    async fn the_list_of_keys_shows_what_is_published(world) {
        let _ = world.tenant().await.person(world).await;
        let current = listed(world, "current");
        assert_eq!(current.len(), 1, "{}", world.run(&["keys", "list"]));
        for kids in published(world).await {
            assert!(kids.contains(&current[0]), "{kids:?}");
        }
    }
}

#[tokio::test]
async fn jwt_04_a_rotation_at_once_refuses_older_tokens_and_ends_no_session() {
    for deployment in BOTH {
        let world = World::start(deployment, &[]).await;
        let person = world.tenant().await.person(&world).await;
        let (old_key, old_token) = (kid(&person.browser), person.browser.cookie(PORTAL_ACCESS).unwrap());
        let output = world.run(&["keys", "rotate", "--now"]);
        let new_key = listed(&world, "current").remove(0);
        assert!(output.contains(&new_key) && new_key != old_key, "{output}");
        assert_eq!(listed(&world, "next").len() + listed(&world, "previous").len(), 1);
        wait_until_signed_by(&person.browser, &new_key, world.apis.len()).await;
        eventually("no process accepts the older token", || async {
            let mut refused = 0;
            for _ in 0..4 {
                refused += usize::from(world.browser().get_with_bearer(SESSION, &old_token).await.status == 401);
            }
            (refused == 4).then_some(())
        })
        .await;
        person.browser.session().await.expect(200);
        for kids in published(&world).await {
            assert!(!kids.contains(&old_key) && kids.contains(&new_key), "{kids:?}");
        }
        let events = world.sql("SELECT actor_realm FROM audit_events WHERE action = 'signing_keys.rotated'");
        assert_eq!(events, "system");
    }
}

#[tokio::test]
async fn jwt_04_an_ordinary_rotation_waits_for_verifiers_and_keeps_older_tokens() {
    for deployment in BOTH {
        let world = World::start(deployment, &[]).await;
        let person = world.tenant().await.person(&world).await;
        let (old_key, old_token) = (kid(&person.browser), person.browser.cookie(PORTAL_ACCESS).unwrap());
        let output = world.run(&["keys", "rotate"]);
        // The next key is a few seconds old, and others may cache the published keys for an hour.
        assert!(output.contains("on, when others have fetched it"), "{output}");
        assert_eq!(listed(&world, "current"), std::slice::from_ref(&old_key));
        let next = listed(&world, "next");
        let promoted = next.iter().find(|key| output.contains(*key)).unwrap();
        let past = match deployment {
            Deployment::Single => "'2020-01-01T00:00:00.123456+00:00'",
            Deployment::Cluster => "timestamptz '2020-01-01'",
        };
        // As if it had been published for long enough.
        let id = promoted.replace('-', "");
        let is_it = match deployment {
            Deployment::Single => format!("lower(hex(id)) = '{id}'"),
            Deployment::Cluster => format!("id = '{promoted}'"),
        };
        world.sql(&format!("UPDATE signing_keys SET created_at = {past} WHERE {is_it}"));
        let output = world.run(&["keys", "rotate"]);
        assert!(output.contains(promoted) && output.contains("signs now"), "{output}");
        assert_eq!(listed(&world, "current"), std::slice::from_ref(promoted));
        wait_until_signed_by(&person.browser, promoted, world.apis.len()).await;
        for _ in 0..4 {
            world.browser().get_with_bearer(SESSION, &old_token).await.expect(200);
        }
        for kids in published(&world).await {
            assert!(kids.contains(&old_key) && kids.contains(promoted), "{kids:?}");
        }
    }
}

/// Uses everything that was made before a rollout, as its owners do while the rollout goes on.
async fn use_sessions(browsers: &[&Browser]) {
    for browser in browsers {
        browser.session().await.expect(200);
        browser.refresh().await.expect(200);
        browser.session().await.expect(200);
    }
}

#[tokio::test]
async fn jwt_04_three_rollouts_of_the_secret_end_no_session_and_keep_mailed_links() {
    let mut world = World::start(Deployment::Cluster, &[("PORTICO_SECRET", OLD)]).await;
    let tenant = world.tenant().await;
    let (ann, bob) = (tenant.person(&world).await, tenant.person(&world).await);
    let mut mailed = tenant.create_invitation(&world).await;
    let (both, new_first) = (format!("{OLD},{NEW}"), format!("{NEW},{OLD}"));
    for entries in [&*both, &*new_first] {
        // Half of the processes, and both entries in use at once.
        world.change_settings(&[("PORTICO_SECRET", entries)]);
        for n in 0..world.processes.len() {
            world.processes[n].kill();
            world.restart(n).await;
            use_sessions(&[&ann.browser, &bob.browser]).await;
        }
        // A link that was mailed before the rollout works after it.
        world.browser().activate(&mailed.token, &password()).await.expect(200);
        mailed = tenant.create_invitation(&world).await;
    }
    // The browser of a person who signs in again stays a known device.
    ann.sign_in(&ann.browser).await;
    // As if three hours had passed, in which a key of the new entry becomes the current one.
    world.run(&["keys", "rotate"]);
    world.sql("UPDATE signing_keys SET created_at = timestamptz '2020-01-01'");
    world.run(&["keys", "rotate"]);
    let current = listed(&world, "current").remove(0);
    wait_until_signed_by(&bob.browser, &current, world.apis.len()).await;
    ann.browser.refresh().await.expect(200);
    world.change_settings(&[("PORTICO_SECRET", NEW)]);
    for n in 0..world.processes.len() {
        world.processes[n].kill();
        world.restart(n).await;
        use_sessions(&[&ann.browser, &bob.browser]).await;
    }
    world.browser().activate(&mailed.token, &password()).await.expect(200);
    ann.sign_in(&ann.browser).await;
    ann.sign_in(&world.browser()).await;
    // One notice: of the last sign-in, which was from an unknown device.
    world.new_device_mail(&ann.email, 1).await;
}

#[tokio::test]
async fn a_process_warns_while_another_one_lacks_its_first_entry() {
    let mut world = World::start(Deployment::Cluster, &[("PORTICO_SECRET", OLD)]).await;
    world.change_settings(&[("PORTICO_SECRET", &format!("{NEW},{OLD}"))]);
    world.processes[3].kill();
    world.restart(3).await;
    let warning = "other processes lack the first entry of PORTICO_SECRET";
    let warned =
        world.processes[3].wait_for_log("the process warns", |line| line.contains(warning).then(|| line.to_owned()));
    let warned = warned.await;
    assert!(warned.contains("WARN") && !warned.contains(NEW) && !warned.contains(OLD), "{warned}");
    assert!(!world.processes[0].logs().iter().any(|line| line.contains(warning)));
}

/// The secret of an authenticator app is encrypted by the entry of `PORTICO_SECRET` that is the first one. It must
/// survive a change of the first entry, the removal of the old one, and a copy to another database.
async fn authenticator_app_survives_a_new_entry(deployment: Deployment) {
    let mut world = World::start(deployment, &[("PORTICO_SECRET", OLD)]).await;
    let person = world.tenant().await.person(&world).await;
    let factors = turn_on(&person.browser, MFA).await;
    world.change_settings(&[("PORTICO_SECRET", NEW)]);
    let refused = world.try_run(&["check-config", "--connect"]);
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(error.contains("1 stored secrets") && error.contains("portico keys reseal"), "{error}");
    world.change_settings(&[("PORTICO_SECRET", &format!("{NEW},{OLD}"))]);
    let resealed = world.run(&["keys", "reseal"]);
    assert!(resealed.contains("sealed 1 stored secret again"), "{resealed}");
    world.restart_all(&[("PORTICO_SECRET", NEW)]).await;
    let browser = world.browser();
    let asked = challenge(&person, &browser).await;
    let body = serde_json::json!({ "challenge": asked, "code": factors.app.code().await });
    verify(&browser, body).await.expect(200);
}

#[tokio::test]
async fn authenticator_app_survives_a_new_entry_of_the_secret() {
    for deployment in BOTH {
        authenticator_app_survives_a_new_entry(deployment).await;
    }
}
