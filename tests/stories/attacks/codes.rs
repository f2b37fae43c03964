//! OTP cases: the six-digit codes that staff users get by mail.

use std::{collections::BTreeMap, time::Instant};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::support::{
    Deployment, World, eventually, password,
    paths::{STAFF_SEND_CODE, STAFF_VERIFY_CODE},
    post_concurrently, stories, unique_email, wrong_code,
};

/// A flow id that does not exist.
const UNKNOWN_FLOW: &str = "01a1fdba-f86f-76f5-b296-4e548b3691ab";

/// A new tenant's owner and a code flow that was started for them.
struct CodeFlow {
    email: String,
    flow: Value,
    code: String,
}

impl CodeFlow {
    async fn start(world: &World) -> Self {
        let email = world.tenant().await.owner_email;
        // The first mail brought the code that the owner signed in with.
        let (flow, code) = world.request_code(&world.browser(), &email, 2).await;
        Self { email, flow, code }
    }

    /// Returns the body of a request that verifies `code` in this flow.
    fn verify_body(&self, code: impl Into<Value>) -> Value {
        json!({ "flow": self.flow, "code": code.into() })
    }

    /// Asserts that the code still works.
    async fn assert_code_works(&self, world: &World) {
        let session = world.browser().verify_code(&self.flow, &self.code).await.expect(200);
        assert_eq!(session["user"]["email"], self.email.as_str());
    }

    /// Asserts that the code no longer works.
    async fn assert_code_refused(&self, world: &World) {
        world.browser().verify_code(&self.flow, &self.code).await.assert_problem("401 invalid_code");
    }
}

/// Returns the number of sessions that a staff user has had.
fn sessions_of(world: &World, email: &str) -> usize {
    world.count(&format!(
        "SELECT count(*) FROM sessions JOIN staff_users ON staff_users.id = staff_user_id WHERE email = '{email}'"
    ))
}

stories! {
    // The problem is the same for a wrong code, for a dead one, and for the right code of a dead flow.
    async fn otp_01_five_wrong_codes_end_the_flow(world) {
        let (flow, browser) = (CodeFlow::start(world).await, world.browser());
        let mut problems = Vec::new();
        for code in [vec![wrong_code(&flow.code); 5], vec![flow.code.clone()]].concat() {
            let mut problem = browser.verify_code(&flow.flow, &code).await.assert_problem("401 invalid_code");
            problem["request_id"].take();
            problems.push(problem);
        }
        assert!(problems.iter().all(|problem| *problem == problems[0]), "{problems:#?}");
    }

    async fn otp_01_twelve_concurrent_wrong_codes_end_the_flow(world) {
        let flow = CodeFlow::start(world).await;
        let bodies = vec![Some(flow.verify_body(wrong_code(&flow.code))); 12];
        let counts = post_concurrently(world.browsers(12), STAFF_VERIFY_CODE, bodies).await;
        assert_eq!(counts, BTreeMap::from([(401, 12)]));
        flow.assert_code_refused(world).await;
    }

    async fn otp_01_wrong_codes_of_disconnected_clients_count(world) {
        let flow = CodeFlow::start(world).await;
        let request = verify_code_request(&flow.verify_body(wrong_code(&flow.code)));
        let misses = format!(
            "SELECT misses FROM code_flows WHERE email = '{}' ORDER BY created_at DESC LIMIT 1", flow.email
        );
        for n in 1..=5 {
            let address = world.apis[n % world.apis.len()].strip_prefix("http://").unwrap();
            let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
            socket.write_all(request.as_bytes()).await.unwrap();
            drop(socket);
            world.wait_for_sql("the wrong code is counted", &misses, &n.to_string()).await;
        }
        flow.assert_code_refused(world).await;
    }

    async fn otp_03_a_code_does_not_work_in_another_flow(world) {
        let (own, other) = (CodeFlow::start(world).await, CodeFlow::start(world).await);
        let (second_flow, second_code) = world.request_code(&world.browser(), &own.email, 3).await;
        let browser = world.browser();
        for (flow, code, right_code) in [
            (&second_flow, &own.code, &second_code),
            (&other.flow, &own.code, &other.code),
            (&own.flow, &other.code, &own.code),
            (&json!(UNKNOWN_FLOW), &own.code, &String::new()),
        ] {
            // One time in a million two flows have the same code.
            if code != right_code {
                browser.verify_code(flow, code).await.assert_problem("401 invalid_code");
            }
        }
        own.assert_code_works(world).await;
        browser.verify_code(&second_flow, &second_code).await.expect(200);
        other.assert_code_works(world).await;
    }

    async fn otp_03_the_flow_is_required_and_its_address_cannot_be_changed(world) {
        let (own, other) = (CodeFlow::start(world).await, CodeFlow::start(world).await);
        let browser = world.browser();
        let without_flow = browser.post(STAFF_VERIFY_CODE, json!({ "code": own.code })).await;
        without_flow.assert_problem("422 validation_failed: /flow required");
        let with_email = json!({ "flow": own.flow, "code": own.code, "email": other.email });
        let response = browser.post(STAFF_VERIFY_CODE, with_email).await;
        response.assert_problem("422 validation_failed: /email unknown_field");
        // A request for another address with this flow starts a new flow.
        let resend = json!({ "email": other.email, "flow": own.flow });
        assert_ne!(browser.post(STAFF_SEND_CODE, resend).await.expect(200)["flow"], own.flow);
        own.assert_code_works(world).await;
        other.assert_code_works(world).await;
    }

    async fn otp_04_ten_concurrent_uses_of_a_code_open_one_session(world) {
        let flow = CodeFlow::start(world).await;
        assert_eq!(sessions_of(world, &flow.email), 1);
        let bodies = vec![Some(flow.verify_body(flow.code.clone())); 10];
        let counts = post_concurrently(world.browsers(10), STAFF_VERIFY_CODE, bodies).await;
        assert_eq!(counts, BTreeMap::from([(200, 1), (401, 9)]));
        assert_eq!(sessions_of(world, &flow.email), 2);
    }

    async fn otp_04_a_resend_ends_the_older_code_and_a_used_code_is_dead(world) {
        let (flow, browser) = (CodeFlow::start(world).await, world.browser());
        let resend = json!({ "email": flow.email, "flow": flow.flow });
        assert_eq!(browser.post(STAFF_SEND_CODE, resend).await.expect(200)["flow"], flow.flow);
        let newer = world.mail(&flow.email, 3).await.code.unwrap();
        if newer != flow.code {
            flow.assert_code_refused(world).await;
        }
        browser.verify_code(&flow.flow, &newer).await.expect(200);
        browser.verify_code(&flow.flow, &newer).await.assert_problem("401 invalid_code");
    }

    async fn otp_05_only_a_text_of_six_ascii_digits_is_a_code(world) {
        let flow = CodeFlow::start(world).await;
        for bad in malformed_codes(&flow.code) {
            let response = world.browser().post(STAFF_VERIFY_CODE, flow.verify_body(bad.clone())).await;
            assert_eq!(response.invalid_fields(), ["/code"], "{bad}");
        }
        let bad_flow = world.browser().verify_code(&json!("x"), &flow.code).await;
        bad_flow.assert_problem("422 validation_failed: /flow uuid_invalid");
        // More than five malformed codes were sent; they do not count as wrong codes.
        flow.assert_code_works(world).await;
    }

    async fn otp_07_a_code_is_not_a_link_token_or_a_password(world) {
        let person = world.tenant().await.person(world).await;
        let flow = CodeFlow::start(world).await;
        for secret in [&*flow.code, flow.flow.as_str().unwrap()] {
            for response in [
                world.browser().activate(secret, &password()).await,
                world.browser().reset_password(secret, &password()).await,
                world.browser().check_token(secret).await,
                world.browser().request_new_link(secret).await,
                person.browser.accept_invitation(secret).await,
            ] {
                response.assert_problem("404 token_unknown");
            }
        }
        world.browser().sign_in(&flow.email, &flow.code).await.assert_problem("401 invalid_credentials");
        flow.assert_code_works(world).await;
    }

    async fn otp_07_a_link_token_is_not_a_code(world) {
        let person = world.tenant().await.person(world).await;
        let flow = CodeFlow::start(world).await;
        let token = person.request_reset(world, 2).await;
        let response = world.browser().verify_code(&flow.flow, &token).await;
        assert_eq!(response.invalid_fields(), ["/code"]);
        flow.assert_code_works(world).await;
    }
}

/// Returns an HTTP request that sends this body to `verify-code`.
fn verify_code_request(body: &Value) -> String {
    let body = body.to_string();
    format!(
        "POST {STAFF_VERIFY_CODE} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Returns values that are made of this code and are not a text of six ASCII digits.
fn malformed_codes(code: &str) -> Vec<Value> {
    let full_width: String = code.chars().map(|digit| char::from_u32(u32::from(digit) + 0xfee0).unwrap()).collect();
    vec![
        json!(full_width),
        json!(format!("{code}.")),
        json!(format!("{code}0")),
        json!(code[1..]),
        json!(format!("-{}", &code[1..])),
        json!("1e5000"),
        json!(""),
        json!(code.parse::<u32>().unwrap()),
        json!(null),
        json!([code]),
        json!({ "code": code }),
    ]
}

#[tokio::test]
async fn otp_04_a_code_expires() {
    let world = World::start(Deployment::Single, &[("PORTICO_CODE_TTL", "1s")]).await;
    let browser = world.browser();
    let (flow, code) = world.request_code(&browser, "owner@demo.test", 1).await;
    let arrived = Instant::now();
    eventually("the code is a second old", || async { (arrived.elapsed().as_millis() > 1_000).then_some(()) }).await;
    browser.verify_code(&flow, &code).await.assert_problem("401 invalid_code");
}

#[tokio::test]
async fn otp_04_by_default_a_code_is_valid_for_ten_minutes() {
    let world = World::start(Deployment::Single, &[]).await;
    let email = unique_email("unknown");
    world.browser().send_code(&email).await.expect(200);
    let minutes = format!(
        "SELECT round((julianday(expires_at) - julianday(created_at)) * 1440) FROM code_flows WHERE email = '{email}'"
    );
    assert_eq!(world.sql(&minutes), "10.0");
}
