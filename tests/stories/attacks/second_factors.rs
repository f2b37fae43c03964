//! MFA cases: guessing, replaying and racing second factors.

use serde_json::{Value, json};

use crate::{
    second_factors::{Factors, challenge, turn_on, verify},
    support::{
        Browser, Deployment, Person, Response, World,
        paths::{self, MFA, SESSION, SIGN_IN_POLICY, STEP_UP},
        post_concurrently, stories,
    },
};

/// A person who has turned second factors on.
async fn person_with_factors(world: &World) -> (Person, Factors) {
    let person = world.tenant().await.person(world).await;
    let factors = turn_on(&person.browser, MFA).await;
    (person, factors)
}

/// Calls `verify` with a code of the authenticator app.
async fn verify_code(browser: &Browser, challenge: &Value, code: &str) -> Response {
    verify(browser, json!({ "challenge": challenge, "code": code })).await
}

/// Signs in to `count` challenges, each in a browser of its own.
async fn challenges(world: &World, person: &Person, count: usize) -> Vec<Value> {
    let mut challenges = Vec::new();
    for browser in world.browsers(count) {
        challenges.push(challenge(person, &browser.on_new_network()).await);
    }
    challenges
}

stories! {
    async fn mfa_01_a_code_is_accepted_once_and_none_of_an_earlier_step_after_it(world) {
        let (person, factors) = person_with_factors(world).await;
        let browsers = world.browsers(3);
        let (first, second) = (challenge(&person, &browsers[0]).await, challenge(&person, &browsers[1]).await);
        // The code that has confirmed the setup is used up.
        verify_code(&browsers[0], &first, &factors.app.code_in(-1)).await.assert_problem("401 invalid_code");
        let code = factors.app.code_in(1);
        verify_code(&browsers[0], &first, &code).await.expect(200);
        verify_code(&browsers[1], &second, &code).await.assert_problem("401 invalid_code");
        verify_code(&browsers[1], &second, &factors.app.code_in(0)).await.assert_problem("401 invalid_code");
        browsers[0].post(STEP_UP, json!({ "code": code })).await.assert_problem("401 invalid_code");
    }

    async fn mfa_08_only_the_codes_of_three_steps_are_accepted(world) {
        let (person, factors) = person_with_factors(world).await;
        for steps in [-3, -2, 2, 3] {
            let browser = world.browser();
            let asked = challenge(&person, &browser).await;
            let refused = verify_code(&browser, &asked, &factors.app.code_in(steps)).await;
            refused.assert_problem("401 invalid_code");
        }
        let browser = world.browser();
        let asked = challenge(&person, &browser).await;
        verify_code(&browser, &asked, &factors.app.code_in(1)).await.expect(200);
    }

    async fn mfa_04_a_challenge_is_of_one_person_and_dies_after_five_misses(world) {
        let (victim, factors) = person_with_factors(world).await;
        let (_, own) = person_with_factors(world).await;
        let browser = world.browser();
        let asked = challenge(&victim, &browser).await;
        let own_code = json!({ "challenge": asked, "recovery_code": own.recovery_codes[0] });
        verify(&browser, own_code).await.assert_problem("401 invalid_code");
        for _ in 0..4 {
            verify_code(&browser, &asked, &factors.app.wrong_code()).await.assert_problem("401 invalid_code");
        }
        let right = json!({ "challenge": asked, "recovery_code": factors.recovery_codes[0] });
        verify(&browser, right).await.assert_problem("401 invalid_code");
        world.mail_with(&victim.email, "entered wrong codes of the second factor").await;
        // The code was not used up.
        let next = challenge(&victim, &browser).await;
        verify(&browser, json!({ "challenge": next, "recovery_code": factors.recovery_codes[0] })).await.expect(200);
    }

    async fn mfa_04_a_challenge_ends_when_it_is_cancelled_used_or_overtaken(world) {
        let (person, factors) = person_with_factors(world).await;
        let browser = world.browser();
        let cancelled = challenge(&person, &browser).await;
        let cancel = format!("{MFA}/cancel");
        for _ in 0..2 {
            browser.post(&cancel, json!({ "challenge": cancelled })).await.expect(204);
        }
        verify_code(&browser, &cancelled, &factors.app.code_in(0)).await.assert_problem("401 invalid_code");
        let expired = challenge(&person, &browser).await;
        world.sql(&format!(
            "UPDATE sign_in_challenges SET expires_at = created_at \
             WHERE portal_user_id = (SELECT id FROM portal_users WHERE email = '{}')",
            person.email
        ));
        let overtaken = challenge(&person, &browser).await;
        let right = json!({ "challenge": expired, "recovery_code": factors.recovery_codes[0] });
        verify(&browser, right).await.assert_problem("401 invalid_code");
        person.browser.post_empty(&format!("{MFA}/recovery-codes")).await.expect(200);
        verify_code(&browser, &overtaken, &factors.app.code_in(0)).await.assert_problem("401 invalid_code");
        person.browser.session().await.expect(200);
    }

    async fn mfa_02_a_challenge_is_no_credential(world) {
        let (person, _) = person_with_factors(world).await;
        let browser = world.browser();
        let asked = challenge(&person, &browser).await;
        let secret = asked.as_str().unwrap();
        for path in [SESSION, paths::PROFILE, paths::SESSIONS, &format!("{MFA}/status")] {
            browser.get_with_bearer(path, secret).await.assert_problem("401 unauthenticated");
            let with_cookie = world.browser().with_cookie("portico_portal", secret);
            with_cookie.get(path).await.assert_problem("401 unauthenticated");
        }
        let enrol = json!({ "challenge": secret });
        for operation in ["setup", "send-code"] {
            browser.post(&format!("{MFA}/enrol/{operation}"), enrol.clone()).await.assert_problem("401 invalid_code");
        }
    }

    async fn mfa_04_a_stolen_password_cannot_bind_a_factor_nor_lock_the_owner_out(world) {
        let (person, factors) = person_with_factors(world).await;
        let owner = world.browser();
        let asked = challenge(&person, &owner).await;
        verify(&owner, json!({ "challenge": asked, "recovery_code": factors.recovery_codes[0] })).await.expect(200);
        let mut evaluated = 0;
        for asked in challenges(world, &person, 12).await {
            for _ in 0..5 {
                let response = verify_code(&world.browser(), &asked, &factors.app.wrong_code()).await;
                evaluated += usize::from(response.status == 401);
                assert!([401, 429].contains(&response.status), "{}", response.text);
            }
        }
        assert!((15..=29).contains(&evaluated), "{evaluated}");
        // The known device of the owner has a limit of its own.
        let asked = challenge(&person, &owner).await;
        verify_code(&owner, &asked, &factors.app.code().await).await.expect(200);
    }

    async fn mfa_09_disabled_person_completes_no_challenge(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let factors = turn_on(&person.browser, MFA).await;
        let browser = world.browser();
        let asked = challenge(&person, &browser).await;
        let member = tenant.member_path(&person.client, &person.email).await;
        tenant.owner.patch(&member, json!({ "status": "disabled" })).await.expect(200);
        verify_code(&browser, &asked, &factors.app.code().await).await.assert_problem("401 invalid_code");
        tenant.owner.patch(&member, json!({ "status": "active" })).await.expect(200);
        let barred = json!({ "methods": { "password": false, "code": true } });
        let asked = challenge(&person, &browser).await;
        tenant.owner.patch(SIGN_IN_POLICY, barred).await.expect(200);
        let right = json!({ "challenge": asked, "recovery_code": factors.recovery_codes[0] });
        verify(&browser, right).await.assert_problem("401 invalid_code");
    }
}

/// How many requests a race sends in the same moment, and how many rounds it has.
const RACERS: usize = 64;

#[expect(clippy::disallowed_methods, reason = "a setting of the tests, not of Portico")]
fn rounds() -> usize {
    std::env::var("PORTICO_RACE_ROUNDS").map_or(20, |rounds| rounds.parse().unwrap())
}

/// A world whose limits do not stop a race, and a person with second factors in it.
async fn race_world(deployment: Deployment) -> (World, Person, Factors) {
    let settings = [
        ("PORTICO_LIMIT_MFA_MISSES", "1000000/1m"),
        ("PORTICO_LIMIT_MFA_LOCKOUT", "1000"),
        ("PORTICO_LIMIT_TOKEN_NETWORK", "1000000/1m"),
    ];
    let world = World::start(deployment, &settings).await;
    let (person, factors) = person_with_factors(&world).await;
    (world, person, factors)
}

/// Returns `count` challenges that are copies of one, with other secrets.
async fn copies(world: &World, person: &Person, count: usize, round: usize) -> Vec<String> {
    let first = challenge(person, &world.browser()).await;
    let hash = |secret: &str| hex(ring::digest::digest(&ring::digest::SHA256, secret.as_bytes()).as_ref());
    let (new_id, original) = (world.random_id_sql(), hash(first.as_str().unwrap()));
    let secrets: Vec<_> = (0..count).map(|n| format!("race-{round}-{n}")).collect();
    let columns = "purpose, portal_user_id, client_id, method, credential_version, factors_version, misses, created_at, \
                   expires_at";
    let insert = |secret: &String| {
        format!(
            "INSERT INTO sign_in_challenges (id, secret_hash, {columns}) \
             SELECT {new_id}, '{}', {columns} FROM sign_in_challenges WHERE secret_hash = '{original}'",
            hash(secret)
        )
    };
    world.sql(&secrets.iter().map(insert).collect::<Vec<_>>().join("; "));
    secrets
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sends all bodies to `verify` in the same moment, and asserts that one succeeds. On a slow machine, some of the
/// others may get no connection to the database in time (503).
async fn race(world: &World, bodies: Vec<Value>, round: usize) {
    let browsers = world.browsers(bodies.len()).iter().map(Browser::on_new_network).collect();
    let statuses = post_concurrently(browsers, &format!("{MFA}/verify"), bodies.into_iter().map(Some).collect()).await;
    assert_eq!(statuses.get(&200), Some(&1), "round {round}: {statuses:?}");
    assert!(statuses.keys().all(|status| [200, 401, 503].contains(status)), "round {round}: {statuses:?}");
}

/// One code of an authenticator app, one recovery code and one challenge, each used by many requests in the same
/// moment: one of them wins each time.
async fn one_winner(deployment: Deployment) {
    let (world, person, factors) = race_world(deployment).await;
    for round in 0..rounds() {
        let secrets = copies(&world, &person, RACERS, round).await;
        let body = |secret: &String| match round % 2 {
            0 => json!({ "challenge": secret, "code": factors.app.code_in(0) }),
            _ => json!({ "challenge": secret, "recovery_code": factors.recovery_codes[0] }),
        };
        race(&world, secrets.iter().map(body).collect(), round).await;
        world.sql("UPDATE totp_secrets SET last_step = NULL");
        world.sql("UPDATE recovery_codes SET used_at = NULL");
        let asked = challenge(&person, &world.browser()).await;
        let same = json!({ "challenge": asked, "recovery_code": factors.recovery_codes[1] });
        race(&world, vec![same; RACERS], round).await;
        world.sql("UPDATE recovery_codes SET used_at = NULL");
    }
}

#[tokio::test]
async fn mfa_01_mfa_07_one_of_many_concurrent_uses_wins_single() {
    one_winner(Deployment::Single).await;
}

#[tokio::test]
async fn mfa_01_mfa_07_one_of_many_concurrent_uses_wins_cluster() {
    one_winner(Deployment::Cluster).await;
}
