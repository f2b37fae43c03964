//! Nobody can find out who has an account, or what there is at somebody else's.

use serde_json::{Value, json};

use crate::support::{Answer, Browser, World, password, stories, unique};

const SIGN_IN: &str = "/api/portal/auth/sign-in";
const FORGOT: &str = "/api/portal/auth/forgot-password";
const RESEND: &str = "/api/portal/auth/resend-activation";
const SEND_CODE: &str = "/api/staff/auth/send-code";
const VERIFY_CODE: &str = "/api/staff/auth/verify-code";

/// What differs between any two answers: the request's own id, the time, the wait that is left, and a random flow.
const PASSING: [&str; 7] = ["x-request-id", "date", "retry-after", "ratelimit", "request_id", "retry_after", "flow"];

/// Everything of an answer that could tell something.
fn face(answer: &Answer) -> String {
    let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        if PASSING.contains(&name.as_str()) { name.to_string() } else { format!("{name}: {value:?}") }
    };
    let mut headers: Vec<String> = answer.headers.iter().map(header).collect();
    headers.sort();
    let mut body = answer.json();
    if let Some(seconds) = body.get("retry_after").map(Value::to_string) {
        body["detail"] = body["detail"].as_str().unwrap().replace(&seconds, "…").into();
    }
    for name in PASSING {
        if let Some(value) = body.get_mut(name) {
            value.take();
        }
    }
    format!("{} {headers:#?} {body:#}", answer.status)
}

#[track_caller]
fn assert_alike(answers: &[Answer]) {
    let faces: Vec<String> = answers.iter().map(face).collect();
    for other in &faces[1..] {
        assert!(faces[0] == *other, "{}\n{other}", faces[0]);
    }
}

/// Tells each of `bodies` to `path`, each from a network of its own.
async fn ask(world: &World, path: &str, bodies: &[Value]) -> Vec<Answer> {
    let mut answers = Vec::new();
    for body in bodies {
        answers.push(world.browser().post(path, body.clone()).await);
    }
    answers
}

stories! {
    async fn enum_01_sign_in_failures_are_alike(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let invited = format!("{}@x.test", unique("invited"));
        tenant.invited(world, &person.client, &invited).await;
        let stranger = format!("{}@x.test", unique("stranger"));
        let elsewhere = tenant.client("Elsewhere").await;
        let nowhere = "01a1fdba-f86f-76f5-b296-4e548b3691ab";
        let answers = ask(world, SIGN_IN, &[
            json!({ "email": person.email, "password": "not the password" }),
            json!({ "email": stranger, "password": "not the password" }),
            json!({ "email": invited, "password": "not the password" }),
            json!({ "email": tenant.owner_email, "password": "not the password" }),
            json!({ "email": person.email, "password": person.password, "client_id": elsewhere }),
            json!({ "email": person.email, "password": person.password, "client_id": nowhere }),
        ])
        .await;
        assert_alike(&answers);
        for answer in answers {
            assert!(!answer.headers.contains_key("set-cookie"));
            answer.problem(401, "invalid_credentials");
        }
    }

    async fn enum_03_recovery_is_answered_alike_and_mailed_to_customers_only(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let invited = format!("{}@x.test", unique("invited"));
        tenant.invited(world, &person.client, &invited).await;
        let strangers = [format!("{}@x.test", unique("stranger")), format!("o'brien+{}@sub.x.test", unique("a"))];
        let addresses = [&strangers[0], &strangers[1], &person.email.to_uppercase(), &tenant.owner_email, &invited];
        let bodies = addresses.map(|email| json!({ "email": email }));
        for path in [FORGOT, RESEND] {
            let answers = ask(world, path, &bodies).await;
            assert_alike(&answers);
            for answer in answers {
                assert_eq!(answer.expect(200), json!({ "status": "accepted" }));
            }
        }
        // Somebody who has no password yet gets the link that sets the first one; who has one gets no such link.
        assert!(world.mail(&invited, 3).await.links[0].contains("/portal/activate#token="));
        assert_eq!(world.mail(&person.email, 2).await.subject, "Choose a new password for Blue Harbour");
        for stranger in strangers {
            assert!(world.mails(&stranger).await.is_empty());
        }
        assert_eq!(world.mails(&tenant.owner_email).await.len(), 1, "staff have no password to recover");
    }

    async fn enum_03_code_requests_are_answered_alike_and_mailed_to_staff_only(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let stranger = format!("{}@x.test", unique("stranger"));
        let bodies = [&tenant.owner_email, &stranger, &person.email].map(|email| json!({ "email": email }));
        let sent = ask(world, SEND_CODE, &bodies).await;
        assert_alike(&sent);
        let code = world.mail(&tenant.owner_email, 2).await.code.unwrap();
        let wrong = if code == "000000" { "000001" } else { "000000" };
        let tries: Vec<_> = sent.iter().map(|sent| json!({ "flow": sent.json()["flow"], "code": wrong })).collect();
        let tried = ask(world, VERIFY_CODE, &tries).await;
        assert_alike(&tried);
        for answer in tried {
            answer.problem(401, "invalid_code");
        }
        assert!(world.mails(&stranger).await.is_empty());
        assert_eq!(world.mails(&person.email).await.len(), 1);
    }

    async fn enum_07_links_that_are_none_are_alike_whatever_they_resemble(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let email = format!("{}@x.test", unique("invited"));
        let invited = tenant.invite(&person.client, &email).await;
        let real = world.mail(&email, 1).await.token();
        let end = if real.ends_with('A') { 'E' } else { 'A' };
        let tokens = [
            "nonsense".to_owned(),
            "A".repeat(43),
            format!("{}{end}", &real[..42]),
            format!("{real}="),
            person.request_reset(world, 2).await[..42].to_owned(),
            invited["portal_user"]["id"].as_str().unwrap().to_owned(),
            invited["invitation"]["id"].as_str().unwrap().to_owned(),
            person.client.clone(),
        ];
        let mut answers = Vec::new();
        for path in ["check-token", "request-new-link"] {
            answers.extend(ask(world, &format!("/api/portal/auth/{path}"), &tokens.each_ref().map(|token| json!({ "token": token }))).await);
        }
        // A weak password is not what they are told about.
        for path in ["reset-password", "activate"] {
            let bodies = tokens.each_ref().map(|token| json!({ "token": token, "password": "short" }));
            answers.extend(ask(world, &format!("/api/portal/auth/{path}"), &bodies).await);
        }
        for token in &tokens {
            let accept = json!({ "token": token });
            answers.push(person.browser.on_new_network().post("/api/portal/invitations/accept", accept).await);
        }
        assert_alike(&answers);
        for answer in answers {
            answer.problem(404, "token_unknown");
        }
        let body = json!({ "token": real, "password": password() });
        world.browser().post("/api/portal/auth/activate", body).await.expect(200);
    }

    async fn enum_08_somebody_of_another_tenant_looks_new(world) {
        let (home, other) = (world.tenant().await, world.tenant().await);
        let person = home.person(world).await;
        let client = other.client("Elsewhere Ltd").await;
        let path = format!("/api/v1/clients/{client}/portal-user");
        let invite = async |browser: &Browser, email: &str| {
            browser.post(&path, json!({ "email": email, "name": "As typed" })).await.expect(201)
        };
        let own = ["id", "email", "expires_at", "last_sent_at", "created_at", "invited_at"];
        let facts = |mut invited: Value| {
            for part in ["portal_user", "invitation"] {
                for name in own {
                    if let Some(value) = invited[part].get_mut(name) {
                        assert!(value.is_string());
                        value.take();
                    }
                }
            }
            invited
        };
        let fresh = format!("{}@x.test", unique("fresh"));
        let (known, new) = (invite(&other.owner, &person.email).await, invite(&other.owner, &fresh).await);
        assert_ne!(known["portal_user"]["id"], known["invitation"]["id"]);
        assert_eq!(facts(known.clone()), facts(new));
        assert_eq!(known["portal_user"]["name"], "As typed", "the name this tenant typed");
        assert_eq!(known["portal_user"]["status"], "invited");
        // Only their own mailbox knows better, and it names nothing of the tenant where they already are.
        let mail = world.mail(&person.email, 2).await;
        assert!(mail.links[0].contains("/portal/accept-invitation#token="), "{mail:?}");
        assert!(!mail.text.contains("Acme Ltd"), "{mail:?}");
    }

    async fn enum_09_a_right_password_is_not_confirmed_while_guesses_are_shut_out(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let stranger = format!("{}@x.test", unique("stranger"));
        let guesser = world.browser();
        let sign_in = |email: &str, password: &str| json!({ "email": email, "password": password });
        for email in [&person.email, &stranger] {
            for _ in 0..5 {
                guesser.post(SIGN_IN, sign_in(email, "not the password")).await.problem(401, "invalid_credentials");
            }
        }
        let answers = [
            guesser.post(SIGN_IN, sign_in(&person.email, &person.password)).await,
            guesser.post(SIGN_IN, sign_in(&person.email, "not the password")).await,
            guesser.post(SIGN_IN, sign_in(&stranger, "not the password")).await,
        ];
        assert_alike(&answers);
        for answer in answers {
            answer.problem(429, "too_many_requests");
        }
        // The owner at another network, and at a known device even in the same network, is not locked out.
        let device = world.browser();
        person.sign_in(&device).await;
        let known = guesser.on_same_network();
        known.set_cookie("portico_device", &device.cookie("portico_device").expect("sign-in makes a device known"));
        person.sign_in(&known).await;
    }
}
