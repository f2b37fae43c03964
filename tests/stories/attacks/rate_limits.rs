//! THR cases: guesses are rate limited on every path, exactly, and the same for known and unknown addresses.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Browser, Deployment, Person, Response, World, cookies, credentials, eventually, password,
    paths::{CHANGE_PASSWORD, LIVE, SESSION, SIGN_IN},
    post_concurrently, stories, unique_email, wrong_code,
};

const WRONG_PASSWORD: &str = "not the password";

/// The id of a client that does not exist.
const UNKNOWN_CLIENT: &str = "01a1fdba-f86f-76f5-b296-4e548b3691ab";

/// Spellings of an address that are one network, and the address of another network.
const NETWORKS: [([&str; 5], &str); 2] = [
    (["192.0.2.77", "::ffff:192.0.2.77", "192.0.2.77:4711", "[::FFFF:192.0.2.77]:80", " 192.0.2.77 "], "192.0.2.78"),
    (
        [
            "2001:db8:1:2::1",
            "2001:DB8:1:2:3:4:5:6",
            "[2001:db8:1:2:ffff::]:443",
            "2001:db8:1:2::2%eth0",
            "2001:0db8:0001:0002::9",
        ],
        "2001:db8:1:3::1",
    ),
];

/// Returns the statuses of `count` sign-ins with a wrong password.
async fn guess(browser: &Browser, email: &str, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(browser.sign_in(email, WRONG_PASSWORD).await.status);
    }
    statuses
}

/// The statuses of guesses of which `count` are answered and the next one is rate limited.
fn limited_after(count: usize) -> Vec<u16> {
    [vec![401; count], vec![429]].concat()
}

/// Returns the status of a wrong sign-in that a proxy forwards from this address. The browser's own `X-Forwarded-For`
/// comes first, as one that the client made up would.
async fn guess_through_proxy(world: &World, email: &str, address: &str) -> u16 {
    let headers = [("x-forwarded-for", address)];
    world.browser().post_with_headers(SIGN_IN, credentials(email, WRONG_PASSWORD), &headers).await.status
}

fn change_body(current: &str, new: &str) -> Value {
    json!({ "current_password": current, "new_password": new })
}

/// A browser with a copy of the person's session and without the cookie of the known device.
fn stolen_session(world: &World, person: &Person) -> Browser {
    let cookie = |name| person.browser.cookie(name).unwrap();
    let thief = world.browser().with_cookie(cookies::PORTAL_ACCESS, &cookie(cookies::PORTAL_ACCESS));
    thief.with_cookie(cookies::PORTAL_REFRESH, &cookie(cookies::PORTAL_REFRESH))
}

/// A person whose row is disabled, and a reset link that was mailed before. No operation of the API disables a person.
async fn disabled_person(world: &World) -> (Person, String) {
    let person = world.tenant().await.person(world).await;
    let token = person.request_reset(world, 2).await;
    world.sql(&format!("UPDATE portal_users SET disabled_at = created_at WHERE email = '{}'", person.email));
    (person, token)
}

stories! {
    async fn thr_03_the_address_that_the_proxy_adds_counts_in_every_spelling(world) {
        let person = world.tenant().await.person(world).await;
        for (spellings, other_network) in NETWORKS {
            for spelling in spellings {
                assert_eq!(guess_through_proxy(world, &person.email, spelling).await, 401, "{spelling}");
            }
            for spelling in spellings {
                assert_eq!(guess_through_proxy(world, &person.email, spelling).await, 429, "{spelling}");
            }
            assert_eq!(guess_through_proxy(world, &person.email, other_network).await, 401, "{other_network}");
        }
    }

    async fn thr_08_a_sign_in_to_another_account_does_not_refund_guesses(world) {
        let tenant = world.tenant().await;
        let (own, victim) = (tenant.person(world).await, tenant.person(world).await);
        let guesser = world.browser();
        for n in 0..5 {
            guesser.sign_in(&victim.email, WRONG_PASSWORD).await.assert_problem("401 invalid_credentials");
            if n % 2 == 1 {
                own.sign_in(&guesser.on_same_network()).await;
            }
        }
        guesser.sign_in(&victim.email, WRONG_PASSWORD).await.assert_problem("429 too_many_requests");
    }

    // PORTICO_LIMIT_SIGN_IN_NETWORK: 30 in 15 minutes for a network, over all addresses and replicas.
    async fn thr_09_guesses_at_many_addresses_from_one_network_are_limited(world) {
        let tenant = world.tenant().await;
        let (own, last_victim) = (tenant.person(world).await, tenant.person(world).await);
        let guesser = world.browser();
        for n in 0..30 {
            let guess = guesser.sign_in(&unique_email("victim"), WRONG_PASSWORD).await;
            guess.assert_problem("401 invalid_credentials");
            if n % 10 == 5 {
                own.sign_in(&guesser.on_same_network()).await;
            }
        }
        guesser.sign_in(&last_victim.email, WRONG_PASSWORD).await.assert_problem("429 too_many_requests");
        last_victim.sign_in(&world.browser()).await;
    }

    async fn thr_09_concurrent_guesses_are_counted_exactly(world) {
        let person = world.tenant().await.person(world).await;
        let guesser = world.browser();
        let browsers = (0..20).map(|_| guesser.on_same_network()).collect();
        let bodies = vec![Some(credentials(&person.email, WRONG_PASSWORD)); 20];
        let counts = post_concurrently(browsers, SIGN_IN, bodies).await;
        assert_eq!(counts, BTreeMap::from([(401, 5), (429, 15)]));
    }

    // PORTICO_LIMIT_BEARER counts in each process.
    async fn thr_09_invalid_access_tokens_from_one_network_are_limited(world) {
        let guesser = world.browser().at(&world.apis[..1]);
        for _ in 0..60 {
            guesser.get_with_bearer(SESSION, "x.y.z").await.assert_problem("401 unauthenticated");
        }
        guesser.get_with_bearer(SESSION, "x.y.z").await.assert_problem("429 too_many_requests");
        guesser.get(LIVE).await.expect(200);
    }

    async fn thr_10_change_password_shares_the_sign_in_limit(world) {
        let person = world.tenant().await.person(world).await;
        let thief = stolen_session(world, &person);
        for _ in 0..3 {
            let change = thief.post(CHANGE_PASSWORD, change_body(WRONG_PASSWORD, &password())).await;
            change.assert_problem("401 invalid_credentials");
        }
        assert_eq!(guess(&thief.on_same_network(), &person.email, 3).await, limited_after(2));
        let change = thief.post(CHANGE_PASSWORD, change_body(&person.password, &password())).await;
        change.assert_problem("429 too_many_requests");
    }

    async fn thr_10_a_reset_link_works_while_sign_in_is_limited(world) {
        let person = world.tenant().await.person(world).await;
        let guesser = world.browser();
        assert_eq!(guess(&guesser, &person.email, 6).await, limited_after(5));
        let token = person.request_reset(world, 2).await;
        guesser.on_same_network().reset_password(&token, &password()).await.expect(200);
    }

    async fn thr_10_a_disabled_person_is_refused_on_every_path(world) {
        let (person, reset_token) = disabled_person(world).await;
        person.browser.session().await.assert_problem("401 session_revoked");
        person.browser.refresh().await.assert_problem("401 session_revoked");
        let change = person.browser.post(CHANGE_PASSWORD, change_body(&person.password, &password())).await;
        change.assert_problem("401 session_revoked");
        let sign_in = world.browser().sign_in(&person.email, &person.password).await;
        sign_in.assert_problem("401 invalid_credentials");
        let reset = world.browser().reset_password(&reset_token, &password()).await;
        reset.assert_problem("410 token_revoked");
    }

    async fn thr_10_a_disabled_person_gets_no_recovery_mail(world) {
        let (person, _) = disabled_person(world).await;
        world.browser().forgot_password(&person.email).await.expect(200);
        world.browser().resend_activation(&person.email).await.expect(200);
        // A later request has its mail delivered, so the worker has handled the two.
        let later = world.tenant().await.person(world).await;
        later.request_reset(world, 2).await;
        assert_eq!(world.mails(&person.email).await.len(), 2);
    }

    async fn thr_09_the_limit_does_not_tell_a_right_password_from_a_wrong_one(world) {
        let (tenant, other) = (world.tenant().await, world.tenant().await);
        let (person, disabled) = (tenant.person(world).await, tenant.person(world).await);
        world.sql(&format!(
            "UPDATE memberships SET status = 'disabled' \
             WHERE portal_user_id = (SELECT id FROM portal_users WHERE email = '{}')", disabled.email
        ));
        let with = |person: &Person, password: &str, client: Option<&str>| {
            let mut body = credentials(&person.email, password);
            if let Some(client) = client {
                body["client_id"] = client.into();
            }
            body
        };
        let foreign = other.client("Elsewhere Ltd").await;
        for (person, client) in [(&person, Some(&*foreign)), (&person, Some(UNKNOWN_CLIENT)), (&disabled, None)] {
            let bodies = [&*person.password, WRONG_PASSWORD].map(|password| with(person, password, client));
            assert_refused_the_same_way(world, bodies).await;
        }
        // Neither does a suspended tenant, although its refusal says that the password was right.
        let suspended = other.person(world).await;
        world.run(&["tenant", "suspend", "--slug", &other.slug]);
        let browser = world.browser();
        for _ in 0..5 {
            browser.sign_in(&suspended.email, &suspended.password).await.assert_problem("403 client_suspended");
        }
        browser.sign_in(&suspended.email, &suspended.password).await.assert_problem("429 too_many_requests");
    }

    async fn thr_14_a_request_with_two_passwords_is_refused_and_not_counted(world) {
        let person = world.tenant().await.person(world).await;
        let browser = world.browser();
        for (body, content_type, problem) in bodies_with_two_passwords(&person.email) {
            let response = browser.send(Method::POST, SIGN_IN, Some(body), &[("content-type", content_type)]).await;
            response.assert_problem(problem);
        }
        assert_eq!(guess(&browser, &person.email, 6).await, limited_after(5));
    }
}

/// Returns bodies of a sign-in that hold two wrong passwords, each with its content type and the expected problem.
fn bodies_with_two_passwords(email: &str) -> [(String, &'static str, &'static str); 6] {
    let guess = credentials(email, WRONG_PASSWORD);
    let (malformed, unsupported) = ("400 malformed_request", "415 unsupported_media_type");
    [
        (
            json!({ "email": email, "password": ["a", "b"] }).to_string(),
            "application/json",
            "422 validation_failed: /password invalid",
        ),
        (json!([guess, guess]).to_string(), "application/json", "422 validation_failed: (body) invalid"),
        (format!("{guess}\n{guess}"), "application/json", malformed),
        (format!("{guess}\n{guess}"), "application/x-ndjson", unsupported),
        (format!("email={email}&password=a&password=b"), "application/x-www-form-urlencoded", unsupported),
        (format!(r#"{{"email":"{email}","password":"a","password":"b"}}"#), "application/json", malformed),
    ]
}

/// A deployment in which four failures in a row lock a password, and a person in it. No other limit is reached.
async fn with_lockout_after_four_failures() -> (World, Person) {
    let settings = [("PORTICO_LIMIT_SIGN_IN_LOCKOUT", "4"), ("PORTICO_LIMIT_SIGN_IN_ACCOUNT", "100/1m")];
    let world = World::start(Deployment::Single, &settings).await;
    let person = world.tenant().await.person(&world).await;
    (world, person)
}

/// Makes this many wrong sign-ins, each from a network of its own.
async fn guess_from_many_networks(world: &World, email: &str, count: usize) {
    for browser in world.browsers(count) {
        browser.sign_in(email, WRONG_PASSWORD).await.assert_problem("401 invalid_credentials");
    }
}

/// A browser in a network of its own that the person has used before.
fn known_device(world: &World, person: &Person) -> Browser {
    world.browser().with_cookie(cookies::DEVICE, &person.browser.cookie(cookies::DEVICE).unwrap())
}

#[tokio::test]
async fn thr_01_failed_sign_ins_and_changes_lock_the_password_and_the_owner_gets_a_mail() {
    let (world, person) = with_lockout_after_four_failures().await;
    for _ in 0..2 {
        guess_from_many_networks(&world, &person.email, 1).await;
        let change = change_body(WRONG_PASSWORD, &password());
        let response = stolen_session(&world, &person).post(CHANGE_PASSWORD, change).await;
        response.assert_problem("401 invalid_credentials");
    }
    for browser in world.browsers(3) {
        browser.sign_in(&person.email, &person.password).await.assert_problem("401 invalid_credentials");
    }
    let notice = world.mail(&person.email, 2).await;
    assert_eq!(notice.subject, "Your password for Blue Harbour was locked");
    person.browser.session().await.expect(200);
}

#[tokio::test]
async fn thr_01_a_known_device_has_a_failure_streak_of_its_own() {
    let (world, person) = with_lockout_after_four_failures().await;
    guess_from_many_networks(&world, &person.email, 4).await;
    let known = known_device(&world, &person);
    person.sign_in(&known).await;
    assert_eq!(guess(&known, &person.email, 5).await, [401; 5]);
    known.sign_in(&person.email, &person.password).await.assert_problem("401 invalid_credentials");
}

// A right password at the wrong client, or of a disabled person, neither adds to the failures in a row nor ends them.
#[tokio::test]
async fn thr_01_a_right_but_refused_password_leaves_the_failure_streak_as_it_is() {
    let (world, person) = with_lockout_after_four_failures().await;
    guess_from_many_networks(&world, &person.email, 3).await;
    let mut refused = person.credentials();
    refused["client_id"] = UNKNOWN_CLIENT.into();
    for browser in world.browsers(3) {
        browser.post(SIGN_IN, refused.clone()).await.assert_problem("401 invalid_credentials");
    }
    world.sql("UPDATE portal_users SET disabled_at = created_at");
    for browser in world.browsers(3) {
        browser.sign_in(&person.email, &person.password).await.assert_problem("401 invalid_credentials");
    }
    world.sql("UPDATE portal_users SET disabled_at = NULL");
    assert_eq!(world.sql("SELECT max(count) FROM rate_limits WHERE key LIKE 'sign_in_lockout:%'"), "3");
    // The fourth failure locks the password.
    guess_from_many_networks(&world, &person.email, 1).await;
    world.browser().sign_in(&person.email, &person.password).await.assert_problem("401 invalid_credentials");
}

#[tokio::test]
async fn thr_01_a_reset_unlocks_the_password_everywhere() {
    let (world, person) = with_lockout_after_four_failures().await;
    let known = known_device(&world, &person);
    guess_from_many_networks(&world, &person.email, 4).await;
    assert_eq!(guess(&known, &person.email, 5).await, [401; 5]);
    world.mail(&person.email, 2).await;

    let (token, new) = (person.request_reset(&world, 3).await, password());
    world.browser().reset_password(&token, &new).await.expect(200);
    for browser in [&world.browser(), &known] {
        browser.sign_in(&person.email, &new).await.expect(200);
    }
}

#[tokio::test]
async fn thr_01_a_change_at_a_known_device_unlocks_the_password() {
    let (world, person) = with_lockout_after_four_failures().await;
    guess_from_many_networks(&world, &person.email, 5).await;
    let new = password();
    person.browser.post(CHANGE_PASSWORD, change_body(&person.password, &new)).await.expect(204);
    world.browser().sign_in(&person.email, &new).await.expect(200);
}

#[tokio::test]
async fn thr_01_guesses_before_activation_do_not_lock_the_first_password() {
    let (world, _) = with_lockout_after_four_failures().await;
    let tenant = world.tenant().await;
    let invited = unique_email("invited");
    guess_from_many_networks(&world, &invited, 6).await;
    let client = tenant.client("Acme Ltd").await;
    let (token, first) = (tenant.invite_for_token(&world, &client, &invited).await, password());
    world.browser().activate(&token, &first).await.expect(200);
    world.browser().sign_in(&invited, &first).await.expect(200);
}

/// Limits that an attacker uses up with three requests. The limits of one account are as they are by default.
const SMALL_NETWORK_LIMITS: [(&str, &str); 4] = [
    ("PORTICO_LIMIT_SIGN_IN_NETWORK", "3/1h"),
    ("PORTICO_LIMIT_RECOVERY_NETWORK", "3/1h"),
    ("PORTICO_LIMIT_SEND_CODE_NETWORK", "3/1h"),
    ("PORTICO_LIMIT_CODE_MISSES", "3/1h"),
];

/// Makes three requests that are answered and asserts that the fourth is refused.
async fn use_up(send: impl AsyncFn() -> Response) {
    for _ in 0..3 {
        assert_ne!(send().await.status, 429);
    }
    send().await.assert_problem("429 too_many_requests");
}

// An attacker in the network of the owner uses up every limit of that network, and the misses of the owner's address.
async fn assert_an_attacker_does_not_shut_out_a_known_device(deployment: Deployment) {
    let world = World::start(deployment, &SMALL_NETWORK_LIMITS).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let (known, staff) = (person.browser.on_new_network(), tenant.owner.on_new_network());

    let attacker = known.on_same_network();
    use_up(async || attacker.sign_in(&unique_email("any"), WRONG_PASSWORD).await).await;
    known.sign_in(&person.email, WRONG_PASSWORD).await.assert_problem("401 invalid_credentials");
    known.sign_in(&person.email, &person.password).await.expect(200);
    use_up(async || attacker.forgot_password(&unique_email("any")).await).await;
    known.forgot_password(&person.email).await.expect(200);

    let attacker = staff.on_same_network();
    use_up(async || attacker.send_code(&unique_email("any")).await).await;
    let (flow, code) = world.request_code(&staff, &tenant.owner_email, 2).await;
    let (attacker, wrong) = (world.browser(), wrong_code(&code));
    let other_flow = attacker.send_code(&tenant.owner_email).await.expect(200)["flow"].clone();
    use_up(async || attacker.verify_code(&other_flow, &wrong).await).await;
    staff.verify_code(&flow, &wrong).await.assert_problem("401 invalid_code");
    staff.verify_code(&flow, &code).await.expect(200);
}

#[tokio::test]
async fn thr_01_an_attacker_does_not_shut_out_a_known_device_of_a_single_process() {
    assert_an_attacker_does_not_shut_out_a_known_device(Deployment::Single).await;
}

#[tokio::test]
async fn thr_01_an_attacker_does_not_shut_out_a_known_device_of_a_cluster() {
    assert_an_attacker_does_not_shut_out_a_known_device(Deployment::Cluster).await;
}

#[tokio::test]
async fn thr_09_a_refused_code_does_not_use_up_the_attempts_of_its_flow() {
    let world = World::start(Deployment::Cluster, &[("PORTICO_LIMIT_CODE_MISSES", "4/1h")]).await;
    let (tenant, guesser) = (world.tenant().await, world.browser());
    let (flow, code) = world.request_code(&guesser, &tenant.owner_email, 2).await;
    let mut statuses = Vec::new();
    for _ in 0..9 {
        statuses.push(guesser.verify_code(&flow, &wrong_code(&code)).await.status);
    }
    assert_eq!(statuses, [vec![401; 4], vec![429; 5]].concat());
    assert_eq!(world.sql(&format!("SELECT misses FROM code_flows WHERE id = '{}'", flow.as_str().unwrap())), "4");
}

/// Asserts that eight refused sign-ins with each of these bodies get the same responses: those of a wrong password.
async fn assert_refused_the_same_way(world: &World, bodies: [Value; 2]) {
    for body in bodies {
        let (browser, mut statuses) = (world.browser(), Vec::new());
        for _ in 0..8 {
            statuses.push(browser.post(SIGN_IN, body.clone()).await.status);
        }
        assert_eq!(statuses, [vec![401; 5], vec![429; 3]].concat(), "{body}");
    }
}

#[tokio::test]
async fn thr_11_a_guess_is_answered_again_after_the_wait_that_the_429_states() {
    let world = World::start(Deployment::Single, &[("PORTICO_LIMIT_SIGN_IN_ACCOUNT", "2/4s")]).await;
    let person = world.tenant().await.person(&world).await;
    let guesser = world.browser();
    assert_eq!(guess(&guesser, &person.email, 2).await, [401; 2]);
    let refused = guesser.sign_in(&person.email, WRONG_PASSWORD).await;
    assert_eq!(refused.headers["ratelimit-policy"], "\"sign_in_account\";q=2;w=4");
    let problem = refused.assert_problem("429 too_many_requests");
    assert!((1..=2).contains(&problem["retry_after"].as_u64().unwrap()), "{problem}");
    eventually("the sign-in is answered again", || async {
        let response = guesser.sign_in(&person.email, &person.password).await;
        (response.status != 429).then(|| response.expect(200))
    })
    .await;
}

#[tokio::test]
async fn thr_13_limits_hold_while_redis_is_down() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let person = world.tenant().await.person(&world).await;
    world.redis().process.kill();
    assert_eq!(guess(&world.browser(), &person.email, 12).await, [vec![401; 5], vec![429; 7]].concat());
    person.sign_in(&world.browser()).await;
}

// A request that the database aborts is run again, up to three times. Counts that were committed are not repeated.
#[tokio::test]
async fn thr_01_a_guess_counts_once_although_its_request_is_run_again() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let browser = world.browser();
    let flow = browser.send_code(&tenant.owner_email).await.expect(200)["flow"].clone();
    world.sql(
        "CREATE FUNCTION abort_request() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION USING ERRCODE = 'serialization_failure'; END $$;
         CREATE TRIGGER abort_request BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION abort_request()",
    );
    browser.sign_in(&person.email, WRONG_PASSWORD).await.expect(503);
    browser.verify_code(&flow, "000000").await.expect(503);
    assert_eq!(world.sql("SELECT max(count) FROM rate_limits WHERE key LIKE 'sign_in_lockout:%'"), "1");
    let misses = format!("SELECT misses FROM code_flows WHERE id = '{}'", flow.as_str().unwrap());
    assert_eq!(world.sql(&misses), "1");
}
