//! ENUM cases: a caller cannot find out who has an account or what exists in another tenant.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Browser, Deployment, Invitation, Person, Response, Tenant, World, cookies, credentials, new_password, password,
    paths::{
        ACCEPT_INVITATION, ACTIVATE, CHANGE_PASSWORD, CHECK_TOKEN, FORGOT_PASSWORD, REQUEST_NEW_LINK,
        RESEND_ACTIVATION, RESET_PASSWORD, SIGN_IN, STAFF_SEND_CODE, STAFF_VERIFY_CODE, portal_user,
    },
    stories, unique, unique_email, wrong_code,
};

/// The id of a client that does not exist.
const UNKNOWN_CLIENT: &str = "01a1fdba-f86f-76f5-b296-4e548b3691ab";

const WRONG_PASSWORD: &str = "not the password";

/// Headers and members that differ between any two responses: the id of the request, the time, the remaining wait,
/// and the random id of a code flow.
const VOLATILE: [&str; 7] = ["x-request-id", "date", "retry-after", "ratelimit", "request_id", "retry_after", "flow"];

/// Returns everything of a response that could distinguish it from another, without the values of [`VOLATILE`].
fn comparable(response: &Response) -> String {
    let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        if VOLATILE.contains(&name.as_str()) { name.to_string() } else { format!("{name}: {value:?}") }
    };
    let mut headers: Vec<String> = response.headers.iter().map(header).collect();
    headers.sort();
    let mut body = response.json();
    if let Some(seconds) = body.get("retry_after").map(Value::to_string) {
        body["detail"] = body["detail"].as_str().unwrap().replace(&seconds, "…").into();
    }
    for name in VOLATILE {
        if let Some(value) = body.get_mut(name) {
            value.take();
        }
    }
    format!("{} {headers:#?} {body:#}", response.status)
}

#[track_caller]
fn assert_indistinguishable(responses: &[Response]) {
    let texts: Vec<String> = responses.iter().map(comparable).collect();
    for other in &texts[1..] {
        assert!(texts[0] == *other, "{}\n{other}", texts[0]);
    }
}

/// Asserts that the responses are indistinguishable and that each is this problem.
#[track_caller]
fn assert_same_problem(responses: Vec<Response>, problem: &str) {
    assert_indistinguishable(&responses);
    for response in responses {
        response.assert_problem(problem);
    }
}

/// Posts each body to `path`, each from a network of its own.
async fn post_each(world: &World, path: &str, bodies: impl IntoIterator<Item = Value>) -> Vec<Response> {
    let mut responses = Vec::new();
    for body in bodies {
        responses.push(world.browser().post(path, body).await);
    }
    responses
}

/// Invites a new address and returns texts that resemble its link token and are none, and the token itself.
async fn unknown_tokens(world: &World, tenant: &Tenant, person: &Person) -> (Vec<String>, String) {
    let email = unique_email("invited");
    let invited = tenant.invite(&person.client, &email).await;
    let token = world.mail(&email, 1).await.token();
    let other_end = if token.ends_with('A') { 'E' } else { 'A' };
    let unknown = vec![
        "nonsense".to_owned(),
        "A".repeat(43),
        format!("{}{other_end}", &token[..42]),
        format!("{token}="),
        person.request_reset(world, 2).await[..42].to_owned(),
        invited["portal_user"]["id"].as_str().unwrap().to_owned(),
        invited["invitation"]["id"].as_str().unwrap().to_owned(),
        person.client.clone(),
    ];
    (unknown, token)
}

/// Removes from the response to an invitation what differs between any two people.
fn without_ids_and_times(mut invited: Value) -> Value {
    for part in ["portal_user", "invitation"] {
        for name in ["id", "email", "expires_at", "last_sent_at", "created_at", "invited_at"] {
            if let Some(value) = invited[part].get_mut(name) {
                assert!(value.is_string());
                value.take();
            }
        }
    }
    invited
}

/// Makes five wrong guesses at each address, which use up the limit of each address in this network.
async fn use_up_sign_in_account(guesser: &Browser, emails: [&str; 2]) {
    for email in emails {
        for _ in 0..5 {
            guesser.sign_in(email, WRONG_PASSWORD).await.assert_problem("401 invalid_credentials");
        }
    }
}

stories! {
    async fn enum_01_all_failed_sign_ins_are_the_same_response(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let Invitation { client, email: invited, .. } = tenant.create_invitation(world).await;
        let right_password_at = |client: &str| {
            json!({ "email": person.email, "password": person.password, "client_id": client })
        };
        let bodies = [
            credentials(&person.email, WRONG_PASSWORD),
            credentials(&unique_email("unknown"), WRONG_PASSWORD),
            credentials(&invited, WRONG_PASSWORD),
            credentials(&tenant.owner_email, WRONG_PASSWORD),
            right_password_at(&client),
            right_password_at(UNKNOWN_CLIENT),
        ];
        let responses = post_each(world, SIGN_IN, bodies).await;
        assert!(responses.iter().all(|response| !response.headers.contains_key("set-cookie")));
        assert_same_problem(responses, "401 invalid_credentials");
    }

    async fn enum_03_recovery_requests_have_one_response_and_mail_only_portal_users(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let invited = tenant.create_invitation(world).await.email;
        let unknown = [unique_email("unknown"), format!("o'brien+{}@sub.x.test", unique("a"))];
        let addresses = [&unknown[0], &unknown[1], &person.email.to_uppercase(), &tenant.owner_email, &invited];
        for path in [FORGOT_PASSWORD, RESEND_ACTIVATION] {
            let responses = post_each(world, path, addresses.map(|email| json!({ "email": email }))).await;
            assert_indistinguishable(&responses);
            assert_eq!(responses[0].json(), json!({ "status": "accepted" }));
            assert_eq!(responses[0].status, 200);
        }
        // A user without a password gets activation links from both, a user with one gets a reset link from one.
        assert!(world.mail(&invited, 3).await.links[0].contains("/portal/activate#token="));
        assert_eq!(world.mail(&person.email, 2).await.subject, "Choose a new password for Blue Harbour");
        assert!(world.mails(&unknown[0]).await.is_empty() && world.mails(&unknown[1]).await.is_empty());
        assert_eq!(world.mails(&tenant.owner_email).await.len(), 1, "staff users have no password to recover");
    }

    async fn enum_03_code_requests_have_one_response_and_mail_only_staff(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let unknown = unique_email("unknown");
        let bodies = [&tenant.owner_email, &unknown, &person.email].map(|email| json!({ "email": email }));
        let sent = post_each(world, STAFF_SEND_CODE, bodies).await;
        assert_indistinguishable(&sent);
        let wrong = wrong_code(&world.mail(&tenant.owner_email, 2).await.code.unwrap());
        let guesses = sent.iter().map(|sent| json!({ "flow": sent.json()["flow"], "code": wrong }));
        assert_same_problem(post_each(world, STAFF_VERIFY_CODE, guesses).await, "401 invalid_code");
        assert!(world.mails(&unknown).await.is_empty());
        assert_eq!(world.mails(&person.email).await.len(), 1);
    }

    async fn enum_07_unknown_link_tokens_have_one_response_in_every_operation(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let (tokens, token) = unknown_tokens(world, &tenant, &person).await;
        let mut responses = Vec::new();
        for path in [CHECK_TOKEN, REQUEST_NEW_LINK] {
            responses.extend(post_each(world, path, tokens.iter().map(|token| json!({ "token": token }))).await);
        }
        // The token is checked before the password, which is too short.
        for path in [RESET_PASSWORD, ACTIVATE] {
            responses.extend(post_each(world, path, tokens.iter().map(|token| new_password(token, "short"))).await);
        }
        for token in &tokens {
            let body = json!({ "token": token });
            responses.push(person.browser.on_new_network().post(ACCEPT_INVITATION, body).await);
        }
        assert_same_problem(responses, "404 token_unknown");
        world.browser().activate(&token, &password()).await.expect(200);
    }

    async fn enum_08_inviting_a_person_of_another_tenant_looks_like_inviting_a_new_one(world) {
        let (home, other) = (world.tenant().await, world.tenant().await);
        let person = home.person(world).await;
        let path = portal_user(&other.client("Elsewhere Ltd").await);
        let invite = async |email: &str| {
            other.owner.post(&path, json!({ "email": email, "name": "As typed" })).await.expect(201)
        };
        let (known, new) = (invite(&person.email).await, invite(&unique_email("new")).await);
        assert_ne!(known["portal_user"]["id"], known["invitation"]["id"]);
        assert_eq!(known["portal_user"]["name"], "As typed");
        assert_eq!(known["portal_user"]["status"], "invited");
        assert_eq!(without_ids_and_times(known), without_ids_and_times(new));
        // Only the mail to the person differs, and it does not name the client that they belong to.
        let mail = world.mail(&person.email, 2).await;
        assert!(mail.links[0].contains("/portal/accept-invitation#token="), "{mail:?}");
        assert!(!mail.text.contains("Acme Ltd"), "{mail:?}");
    }

    async fn enum_09_a_rate_limited_sign_in_does_not_confirm_the_right_password(world) {
        let person = world.tenant().await.person(world).await;
        let unknown = unique_email("unknown");
        let guesser = world.browser();
        use_up_sign_in_account(&guesser, [&person.email, &unknown]).await;
        let responses = vec![
            guesser.sign_in(&person.email, &person.password).await,
            guesser.sign_in(&person.email, WRONG_PASSWORD).await,
            guesser.sign_in(&unknown, WRONG_PASSWORD).await,
        ];
        assert_same_problem(responses, "429 too_many_requests");
    }

    async fn enum_09_the_owner_signs_in_elsewhere_and_at_a_known_device(world) {
        let person = world.tenant().await.person(world).await;
        let guesser = world.browser();
        use_up_sign_in_account(&guesser, [&person.email, &unique_email("unknown")]).await;
        let device = world.browser();
        person.sign_in(&device).await;
        // A known device is not limited even in the guesser's network.
        let device_cookie = device.cookie(cookies::DEVICE).expect("sign-in makes a device known");
        person.sign_in(&guesser.on_same_network().with_cookie(cookies::DEVICE, &device_cookie)).await;
    }
}

/// Settings with cheap hashes, without limits that the measurement reaches, and with an address that outlives a
/// restart.
const CHEAP_HASHES: [(&str, &str); 5] = [
    ("PORTICO_PUBLIC_URL", "http://localhost:4000"),
    ("PORTICO_SCRYPT", "ln=12,r=8,p=1"),
    ("PORTICO_LIMIT_SIGN_IN_ACCOUNT", "1000/1m"),
    ("PORTICO_LIMIT_SIGN_IN_RATE", "1000/1m"),
    ("PORTICO_LIMIT_SIGN_IN_LOCKOUT", "1000"),
];

/// Asserts that the API of this process does the same work for a wrong password of every one of `people`, also at their
/// known devices and for a change of the password, and for an unknown address. No other request may run there.
///
/// Compares the shortest of several times. Other programs of the machine change the time until the response, so this is
/// the time for which the hashing threads ran. `bin/bench timing` compares the times until the response.
async fn assert_same_work(world: &World, api: usize, process: usize, people: [&Person; 2]) {
    let (process, apis) = (&world.processes[process], &world.apis[api..=api]);
    let unknown_address = unique_email("unknown");
    let change = json!({ "current_password": WRONG_PASSWORD, "new_password": password() });
    let mut shortest = [Duration::MAX; 7];
    for _ in 0..5 {
        let unknown = || world.browser().at(apis);
        let [known_a, known_b] = people.map(|person| person.browser.moved_to(apis));
        let requests = [
            (unknown(), SIGN_IN, credentials(&unknown_address, WRONG_PASSWORD)),
            (unknown(), SIGN_IN, credentials(&people[0].email, WRONG_PASSWORD)),
            (unknown(), SIGN_IN, credentials(&people[1].email, WRONG_PASSWORD)),
            (known_a.on_new_network(), SIGN_IN, credentials(&people[0].email, WRONG_PASSWORD)),
            (known_b.on_new_network(), SIGN_IN, credentials(&people[1].email, WRONG_PASSWORD)),
            (known_a, CHANGE_PASSWORD, change.clone()),
            (known_b, CHANGE_PASSWORD, change.clone()),
        ];
        for ((browser, path, body), shortest) in requests.into_iter().zip(&mut shortest) {
            let before = process.time_of_threads("hashing-");
            browser.post(path, body).await.assert_problem("401 invalid_credentials");
            *shortest = (process.time_of_threads("hashing-") - before).min(*shortest);
        }
    }
    let (min, max) = (shortest.iter().min().unwrap(), shortest.iter().max().unwrap());
    assert!(*max < *min * 2, "{shortest:?}");
}

// A hash of 2¹⁵ takes eight times as long as one of 2¹².
#[tokio::test]
async fn enum_01_the_time_of_a_refusal_does_not_show_the_cost_of_a_hash_in_a_single_process() {
    let mut world = World::start(Deployment::Single, &CHEAP_HASHES).await;
    let tenant = world.tenant().await;
    let old = tenant.person(&world).await;
    world.restart_single(&[("PORTICO_SCRYPT", "ln=15,r=8,p=1")]).await;
    let tenant = world.tenant().await;
    let new = tenant.person(&world).await;
    for cost in ["ln=15,r=8,p=1", "ln=12,r=8,p=1", "ln=13,r=8,p=2"] {
        world.restart_single(&[("PORTICO_SCRYPT", cost)]).await;
        assert_same_work(&world, 0, 0, [&old, &new]).await;
    }
    let counted = world.run(&["check-config", "--connect"]);
    for cost in ["ln=12,r=8,p=1: 1 (replaced when", "ln=15,r=8,p=1: 1 (replaced when"] {
        assert!(counted.contains(&format!("Password hashes with {cost}")), "{counted}");
    }
}

#[tokio::test]
async fn enum_01_the_time_of_a_refusal_does_not_show_the_cost_of_a_hash_in_a_cluster() {
    let mut world = World::start(Deployment::Cluster, &CHEAP_HASHES).await;
    let tenant = world.tenant().await;
    let old = tenant.person(&world).await;
    world.env.push(("PORTICO_SCRYPT".into(), "ln=15,r=8,p=1".into()));
    world.start_api("api").await;
    let new = tenant.person_with(&world, &world.apis[2..]).await;
    // The processes of a cluster: two APIs, two workers, and the third API.
    for (api, process) in [(2, 4), (0, 0)] {
        assert_same_work(&world, api, process, [&old, &new]).await;
    }
}
