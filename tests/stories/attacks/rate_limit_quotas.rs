//! Every limit, used up: where it ends, what it says, and that nobody learns from it who has an account.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Browser, Deployment, World, password, unique};

const SIGN_IN: &str = "/api/portal/auth/sign-in";
const FORGOT: &str = "/api/portal/auth/forgot-password";
const SEND: &str = "/api/staff/auth/send-code";

/// Small limits that give nothing back while a story is told. `requests` counts everything, so it is told alone.
const SMALL: [(&str, &str); 12] = [
    ("PORTICO_LIMIT_SIGN_IN_RATE", "9/1h"),
    ("PORTICO_LIMIT_SIGN_IN_ACCOUNT", "3/1h"),
    ("PORTICO_LIMIT_SIGN_IN_NETWORK", "5/1h"),
    ("PORTICO_LIMIT_RECOVERY_ACCOUNT", "3/1h"),
    ("PORTICO_LIMIT_RECOVERY_NETWORK", "5/1h"),
    ("PORTICO_LIMIT_SEND_CODE", "3/1h"),
    ("PORTICO_LIMIT_SEND_CODE_NETWORK", "5/1h"),
    ("PORTICO_LIMIT_CODE_MISSES", "4/1h"),
    ("PORTICO_LIMIT_TOKEN_NETWORK", "6/1h"),
    ("PORTICO_LIMIT_INVITE_RECIPIENT", "3/1h"),
    ("PORTICO_LIMIT_INVITE_ACTOR", "5/1h"),
    ("PORTICO_LIMIT_BEARER", "4/1h"),
];

/// Where a limit is counted.
#[derive(Clone, Copy, PartialEq)]
enum Counted {
    /// In the database, over all processes.
    Together,
    /// In each process.
    Apart,
}

/// Asks until the limit of that name says no, and returns how often it did not.
async fn used_up<F: Future<Output = Answer>>(name: &str, mut ask: impl FnMut(usize) -> F) -> usize {
    for n in 0..200 {
        let answer = ask(n).await;
        if answer.status == 429 && answer.headers["ratelimit-policy"].to_str().unwrap().contains(&format!("\"{name}\""))
        {
            let policy = answer.headers["ratelimit-policy"].to_str().unwrap().to_owned();
            let problem = answer.problem(429, "too_many_requests");
            assert!(problem["retry_after"].as_u64().unwrap() >= 1, "{problem}");
            assert!(policy.ends_with(";w=3600"), "{policy}");
            return n;
        }
        assert_ne!(answer.status, 503, "{answer:?}");
    }
    panic!("{name} is never used up");
}

/// An address that nobody has.
fn stranger() -> String {
    format!("{}@x.test", unique("stranger"))
}

async fn every_limit_ends_where_it_says(shape: Deployment) {
    let world = World::start(shape, &SMALL).await;
    let apis = world.apis.len();
    let wrong = |email: &str| json!({ "email": email, "password": "not the password" });
    let one = world.browser();
    let email = stranger();
    let recipient = stranger();
    let tenant = world.tenant().await;
    let client = tenant.client("Acme Ltd").await;
    let invitations = format!("/api/v1/clients/{client}/portal-user");
    let resend = format!("{invitations}?action=resend");
    tenant.invite(&client, &recipient).await;
    // The address of one's own for each ask: made beforehand, since what asks borrows it.
    let many: Vec<Value> = (0..200).map(|_| json!({ "email": stranger() })).collect();
    let many_wrong: Vec<Value> = (0..200).map(|_| wrong(&stranger())).collect();
    let somewhere: Vec<Browser> = (0..200).map(|_| world.browser()).collect();

    let (to_one, to_another) = (json!({ "email": email }), json!({ "email": stranger() }));
    let (wrong_of_one, again) = (wrong(&email), json!({ "email": recipient }));
    let code = world.browser().post(SEND, json!({ "email": tenant.owner_email })).await.expect(200);
    let right = world.mail(&tenant.owner_email, 2).await.code.unwrap();
    let missed = format!("{:06}", (right.parse::<u32>().unwrap() + 1) % 1_000_000);
    let missed = json!({ "flow": code["flow"], "code": missed });
    let link = json!({ "token": "x" });
    let bad_bearer = [("authorization", "Bearer a.b.c")];

    let check = |name: &str, used: usize, quota: usize, counted: Counted| {
        let expected = if counted == Counted::Apart { quota * apis } else { quota };
        assert_eq!(used, expected, "{name}");
    };
    use Counted::{Apart, Together};
    let by = world.browser();
    check("sign_in_account", used_up("sign_in_account", |_| by.post(SIGN_IN, wrong_of_one.clone())).await, 3, Together);
    let used = used_up("sign_in_network", |n| one.post(SIGN_IN, many_wrong[n].clone())).await;
    check("sign_in_network", used, 5, Together);
    let used = used_up("sign_in_rate", |n| somewhere[0].post(SIGN_IN, many_wrong[n].clone())).await;
    check("sign_in_rate", used, 9, Apart);
    let used = used_up("recovery_account", |n| somewhere[n].post(FORGOT, to_one.clone())).await;
    check("recovery_account", used, 3, Together);
    let path = "/api/portal/auth/resend-activation";
    let used = used_up("recovery_account", |n| somewhere[n].post(path, to_another.clone())).await;
    check("recovery_account", used, 3, Together);
    let used = used_up("recovery_network", |n| one.post(if n % 2 == 0 { FORGOT } else { path }, many[n].clone())).await;
    check("recovery_network", used, 5, Together);
    check("send_code", used_up("send_code", |n| somewhere[n].post(SEND, to_one.clone())).await, 3, Together);
    let used = used_up("send_code_network", |n| one.post(SEND, many[n].clone())).await;
    check("send_code_network", used, 5, Together);
    let used = used_up("code_misses", |n| somewhere[n].post("/api/staff/auth/verify-code", missed.clone())).await;
    check("code_misses", used, 4, Together);
    for path in ["check-token", "request-new-link"] {
        let (by, path) = (world.browser(), format!("/api/portal/auth/{path}"));
        check("token_network", used_up("token_network", |_| by.post(&path, link.clone())).await, 6, Apart);
    }
    let by = world.browser();
    let bearer = used_up("bearer", |_| by.send(Method::GET, "/api/portal/auth/session", None, &bad_bearer)).await;
    // The one too many is still looked at: it is what shuts the door.
    check("bearer", bearer, 5, Apart);
    let used = used_up("invite_recipient", |_| tenant.owner.post(&resend, again.clone())).await;
    check("invite_recipient", used, 2, Together);
    let used = used_up("invite_actor", |n| tenant.owner.post(&invitations, many[n].clone())).await;
    check("invite_actor", used, 2, Together);
}

#[tokio::test]
async fn every_limit_ends_where_it_says_alone() {
    every_limit_ends_where_it_says(Deployment::Single).await;
}

#[tokio::test]
async fn every_limit_ends_where_it_says_in_a_fleet() {
    every_limit_ends_where_it_says(Deployment::Cluster).await;
}

#[tokio::test]
async fn requests_of_a_network_have_a_limit_in_each_process() {
    let world = World::start(Deployment::Cluster, &[("PORTICO_LIMIT_REQUESTS", "7/1h")]).await;
    let by = world.browser();
    assert_eq!(used_up("requests", |_| by.get("/health/live")).await, 14);
    world.browser().get("/health/live").await.expect(200);
}

/// An answer without what differs each time.
fn bytes(answer: &Answer) -> String {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    let mut body = answer.json();
    for changing in ["request_id", "flow"] {
        if body.get(changing).is_some() {
            body[changing] = "…".into();
        }
    }
    // Seconds go by between two requests.
    let text = format!("{} {headers:?} {body}", answer.status);
    let text = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect::<String>();
    if answer.status == 429 { text.replace("00000", "0000") } else { text }
}

async fn strangers_use_limits_up_alike(shape: Deployment) {
    let world = World::start(shape, &SMALL).await;
    let tenant = world.tenant().await;
    let (person, other) = (tenant.person(&world).await, tenant.person(&world).await);
    for (path, known, body) in [
        (SIGN_IN, &person.email, json!({ "password": password() })),
        (FORGOT, &person.email, json!({})),
        ("/api/portal/auth/resend-activation", &other.email, json!({})),
        (SEND, &tenant.owner_email, json!({})),
    ] {
        let mut told = Vec::new();
        for email in [known.clone(), stranger()] {
            let (mut body, browser, mut answers) = (body.clone(), world.browser(), Vec::new());
            body["email"] = email.into();
            for _ in 0..5 {
                answers.push(bytes(&browser.post(path, body.clone()).await));
            }
            assert!(answers[4].starts_with("000 "), "{answers:#?}");
            told.push(answers);
        }
        // One code was used for signing in.
        let skip = usize::from(path == SEND);
        assert_eq!(told[0][..3 - skip], told[1][..3 - skip], "{path}");
        assert_eq!(told[0][4], told[1][4], "{path}");
    }
}

#[tokio::test]
async fn strangers_use_limits_up_alike_alone() {
    strangers_use_limits_up_alike(Deployment::Single).await;
}

#[tokio::test]
async fn strangers_use_limits_up_alike_in_a_fleet() {
    strangers_use_limits_up_alike(Deployment::Cluster).await;
}

// What is right gives its units back: somebody may sign in all day.
#[tokio::test]
async fn successes_cost_nothing() {
    let limits: Vec<_> = SMALL.iter().copied().filter(|(name, _)| !name.ends_with("_RATE")).collect();
    let world = World::start(Deployment::Cluster, &limits).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let browser = world.browser();
    for _ in 0..12 {
        person.sign_in(&browser).await;
    }
}

// A stranger who asks for codes until nothing is left does not keep the owner's away: their browser has counts of its own.
#[tokio::test]
async fn strangers_cannot_keep_staff_out_who_have_signed_in_before() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let tenant = world.tenant().await;
    for nth in 2..5 {
        world.browser().post(SEND, json!({ "email": tenant.owner_email })).await.expect(200);
        world.mail(&tenant.owner_email, nth).await;
    }
    // Three live codes, so a stranger's next one is not sent; then the limit of the mailbox is reached as well.
    world.browser().post(SEND, json!({ "email": tenant.owner_email })).await.expect(200);
    world.browser().post(SEND, json!({ "email": tenant.owner_email })).await.problem(429, "too_many_requests");
    assert!(
        tenant.owner.cookie("__Host-portico_staff_device").or(tenant.owner.cookie("portico_staff_device")).is_some()
    );
    world.sign_in_staff(&tenant.owner.on_new_network(), &tenant.owner_email, 5).await;
    // The cookie is nothing at another address.
    let other = world.tenant().await;
    for _ in 0..4 {
        world.browser().post(SEND, json!({ "email": other.owner_email })).await.expect(200);
    }
    tenant.owner.on_new_network().post(SEND, json!({ "email": other.owner_email })).await.problem(429, "too_many_requests");
}
