//! The mailed six digits of staff.

use std::{collections::BTreeMap, time::Instant};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::support::{Answer, Browser, Deployment, World, all_at_once, eventually, stories, unique};

const SEND: &str = "/api/staff/auth/send-code";
const VERIFY: &str = "/api/staff/auth/verify-code";

/// A code that is not this one.
fn not(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

/// Asks for a code and returns the flow and the code, which comes as the `nth` mail.
async fn ask(world: &World, browser: &Browser, email: &str, nth: usize) -> (Value, String) {
    let flow = browser.post(SEND, json!({ "email": email })).await.expect(200)["flow"].clone();
    (flow, world.mail(email, nth).await.code.unwrap())
}

async fn verify(browser: &Browser, flow: &Value, code: &str) -> Answer {
    browser.post(VERIFY, json!({ "flow": flow, "code": code })).await
}

/// Many browsers, each in a network of its own.
fn browsers(world: &World, count: usize) -> Vec<Browser> {
    (0..count).map(|_| world.browser()).collect()
}

stories! {
    async fn otp_01_five_wrong_codes_kill_the_code(world) {
        let tenant = world.tenant().await;
        let browser = world.browser();
        let (flow, code) = ask(world, &browser, &tenant.owner_email, 2).await;
        let mut answers = Vec::new();
        for _ in 0..5 {
            answers.push(verify(&browser, &flow, &not(&code)).await);
        }
        answers.push(verify(&browser, &flow, &code).await);
        // A wrong code, a dead one and a right one too late are told apart by nothing.
        let shown: Vec<_> = answers.into_iter().map(|answer| {
            let mut problem = answer.problem(401, "invalid_code");
            problem["request_id"].take();
            problem
        }).collect();
        assert!(shown.iter().all(|problem| *problem == shown[0]), "{shown:#?}");
    }

    async fn otp_01_many_tries_at_once_are_five_tries(world) {
        let tenant = world.tenant().await;
        let (flow, code) = ask(world, &world.browser(), &tenant.owner_email, 2).await;
        let bodies = (0..12).map(|_| Some(json!({ "flow": flow, "code": not(&code) }))).collect();
        assert_eq!(all_at_once(browsers(world, 12), VERIFY, bodies).await, BTreeMap::from([(401, 12)]));
        verify(&world.browser(), &flow, &code).await.problem(401, "invalid_code");
    }

    async fn otp_01_tries_of_clients_who_left_are_tries(world) {
        let tenant = world.tenant().await;
        let (flow, code) = ask(world, &world.browser(), &tenant.owner_email, 2).await;
        let body = json!({ "flow": flow, "code": not(&code) }).to_string();
        let request = format!(
            "POST {VERIFY} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let misses = format!("SELECT misses FROM code_flows WHERE email = '{}' ORDER BY created_at DESC LIMIT 1", tenant.owner_email);
        for n in 1..=5 {
            let address = world.apis[n % world.apis.len()].strip_prefix("http://").unwrap();
            let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
            socket.write_all(request.as_bytes()).await.unwrap();
            drop(socket);
            eventually("it was counted", || async { (world.sql(&misses) == n.to_string()).then_some(()) }).await;
        }
        verify(&world.browser(), &flow, &code).await.problem(401, "invalid_code");
    }

    async fn otp_03_a_code_opens_its_own_flow_alone(world) {
        let (mine, theirs) = (world.tenant().await, world.tenant().await);
        let (browser, other) = (world.browser(), world.browser());
        let (my_flow, my_code) = ask(world, &browser, &mine.owner_email, 2).await;
        let (second_flow, second_code) = ask(world, &other, &mine.owner_email, 3).await;
        let (their_flow, their_code) = ask(world, &other, &theirs.owner_email, 2).await;
        // A flow of the same person, one of somebody else, one that never was, and none at all.
        let random = json!("01a1fdba-f86f-76f5-b296-4e548b3691ab");
        // One time in a million two codes are the same, and then one opens the other's flow by right.
        for (flow, code, right) in [
            (&second_flow, &my_code, &second_code),
            (&their_flow, &my_code, &their_code),
            (&my_flow, &their_code, &my_code),
            (&random, &my_code, &String::new()),
        ] {
            if code != right {
                verify(&browser, flow, code).await.problem(401, "invalid_code");
            }
        }
        assert_eq!(browser.post(VERIFY, json!({ "code": my_code })).await.bad_fields(), ["/flow"]);
        // The address was said when the code was asked for, and cannot be changed now.
        let changed = json!({ "flow": my_flow, "code": my_code, "email": theirs.owner_email });
        assert_eq!(browser.post(VERIFY, changed).await.bad_fields(), ["/email"]);
        // A resend for the flow of another address makes a new flow.
        let pasted = json!({ "email": theirs.owner_email, "flow": my_flow });
        assert_ne!(other.post(SEND, pasted).await.expect(200)["flow"], my_flow);
        let opened = verify(&browser, &my_flow, &my_code).await.expect(200);
        assert_eq!(opened["user"]["email"], mine.owner_email.as_str());
        // Nobody's tries have killed another's code.
        verify(&other, &second_flow, &second_code).await.expect(200);
        assert_eq!(verify(&other, &their_flow, &their_code).await.expect(200)["user"]["email"], theirs.owner_email.as_str());
    }

    async fn otp_04_many_uses_of_one_code_open_one_session(world) {
        let tenant = world.tenant().await;
        let (flow, code) = ask(world, &world.browser(), &tenant.owner_email, 2).await;
        let sessions = format!(
            "SELECT count(*) FROM sessions JOIN staff_users ON staff_users.id = staff_user_id WHERE email = '{}'",
            tenant.owner_email
        );
        assert_eq!(world.sql(&sessions), "1", "the owner's own");
        let bodies = (0..10).map(|_| Some(json!({ "flow": flow, "code": code }))).collect();
        let counts = all_at_once(browsers(world, 10), VERIFY, bodies).await;
        assert_eq!(counts, BTreeMap::from([(200, 1), (401, 9)]));
        assert_eq!(world.sql(&sessions), "2");
    }

    async fn otp_04_a_resend_kills_the_older_code(world) {
        let tenant = world.tenant().await;
        let browser = world.browser();
        let (flow, first) = ask(world, &browser, &tenant.owner_email, 2).await;
        let again = json!({ "email": tenant.owner_email, "flow": flow });
        assert_eq!(browser.post(SEND, again).await.expect(200)["flow"], flow);
        let second = world.mail(&tenant.owner_email, 3).await.code.unwrap();
        if first != second {
            verify(&browser, &flow, &first).await.problem(401, "invalid_code");
        }
        verify(&browser, &flow, &second).await.expect(200);
        verify(&browser, &flow, &second).await.problem(401, "invalid_code");
    }

    async fn otp_05_a_code_is_text_of_six_digits(world) {
        let tenant = world.tenant().await;
        let (flow, code) = ask(world, &world.browser(), &tenant.owner_email, 2).await;
        let wide: String = code.chars().map(|digit| char::from_u32(u32::from(digit) + 0xfee0).unwrap()).collect();
        let number = json!(code.parse::<u32>().unwrap());
        let texts = [wide, format!(" {code}"), format!("{code} "), format!("{code}0"), code[1..].to_owned(), format!("-{}", &code[1..]), "1e5000".into(), String::new()];
        for bad in texts.into_iter().map(Value::from).chain([number, json!(null), json!([code]), json!({ "code": code })]) {
            assert_eq!(world.browser().post(VERIFY, json!({ "flow": flow, "code": bad })).await.bad_fields(), ["/code"], "{bad}");
        }
        assert_eq!(world.browser().post(VERIFY, json!({ "flow": "x", "code": code })).await.bad_fields(), ["/flow"]);
        // What is no code at all was no try either.
        verify(&world.browser(), &flow, &code).await.expect(200);
    }

    async fn otp_07_a_code_does_nothing_but_sign_staff_in(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let (flow, code) = ask(world, &world.browser(), &tenant.owner_email, 2).await;
        for secret in [json!(code), flow.clone()] {
            for path in ["activate", "reset-password"] {
                let body = json!({ "token": secret, "password": crate::support::password() });
                world.browser().post(&format!("/api/portal/auth/{path}"), body).await.problem(404, "token_unknown");
            }
            for path in ["check-token", "request-new-link"] {
                world.browser().post(&format!("/api/portal/auth/{path}"), json!({ "token": secret })).await.problem(404, "token_unknown");
            }
            person.browser.post("/api/portal/invitations/accept", json!({ "token": secret })).await.problem(404, "token_unknown");
        }
        let body = json!({ "email": tenant.owner_email, "password": code });
        world.browser().post("/api/portal/auth/sign-in", body).await.problem(401, "invalid_credentials");
        // Nor is a link's secret a code.
        let token = person.request_reset(world, 2).await;
        assert_eq!(world.browser().post(VERIFY, json!({ "flow": flow, "code": token })).await.bad_fields(), ["/code"]);
        verify(&world.browser(), &flow, &code).await.expect(200);
    }
}

#[tokio::test]
async fn otp_04_codes_die_of_age() {
    let world = World::start(Deployment::Single, &[("PORTICO_CODE_TTL", "1s")]).await;
    let (email, browser) = ("owner@demo.test", world.browser());
    let (flow, code) = ask(&world, &browser, email, 1).await;
    let arrived = Instant::now();
    eventually("the code is too old", || async { (arrived.elapsed().as_millis() > 1_000).then_some(()) }).await;
    verify(&browser, &flow, &code).await.problem(401, "invalid_code");
}

#[tokio::test]
async fn otp_04_a_code_lives_for_ten_minutes_unless_told_otherwise() {
    let world = World::start(Deployment::Single, &[]).await;
    let stranger = format!("{}@x.test", unique("stranger"));
    world.browser().post(SEND, json!({ "email": stranger })).await.expect(200);
    let lives = format!(
        "SELECT round((julianday(expires_at) - julianday(created_at)) * 1440) FROM code_flows WHERE email = '{stranger}'"
    );
    assert_eq!(world.sql(&lives), "10.0");
}
