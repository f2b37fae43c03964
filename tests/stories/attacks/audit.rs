//! What is written down, and what must not be.

use std::process::{Command, Output};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Browser, Redis, Deployment, World, binary, eventually, password, stories, unique};

const SIGN_IN: &str = "/api/portal/auth/sign-in";

/// A request id that no other request of this run has.
fn request_id() -> String {
    let number: u64 = unique("").rsplit('-').next().unwrap().parse().unwrap();
    format!("01a1fdba-f86f-76f5-8000-{:012x}", u64::from(std::process::id()) << 20 | number)
}

stories! {
    async fn log_02_each_act_and_each_failure_is_recorded_once(world) {
        let tenant = world.tenant().await;
        let owner = &tenant.owner;
        let act = async |browser: &Browser, method: Method, path: &str, body: Option<Value>, status: u16, expected: &str| {
            let id = request_id();
            let headers = [("x-request-id", &*id), ("user-agent", "stories")];
            let answer = browser.send(method, path, body.map(|body| body.to_string()), &headers).await;
            assert_eq!(answer.status, status, "{path} {answer:?}");
            // One row an act, whole: when, by whom, from where, with what end.
            let rows = world.sql(&format!("SELECT action || ' ' || actor_realm || ' ' || outcome FROM audit_events WHERE request_id = '{id}' ORDER BY action"));
            assert_eq!(rows, expected, "{path}");
            if !expected.is_empty() {
                let whole = format!("SELECT count(*) FROM audit_events WHERE request_id = '{id}' AND ip LIKE '198.%' AND user_agent = 'stories' AND at IS NOT NULL");
                assert_eq!(world.sql(&whole), expected.lines().count().to_string(), "{path}");
            }
            if answer.text.is_empty() { Value::Null } else { answer.json() }
        };
        let post = Method::POST;
        let client = act(owner, post.clone(), "/api/v1/clients", Some(json!({ "name": "Acme Ltd" })), 201, "client.created staff success").await;
        let path = format!("/api/v1/clients/{}", client["id"].as_str().unwrap());
        act(owner, Method::PATCH, &path, Some(json!({ "status": "past_due" })), 200, "client.changed staff success").await;
        let email = format!("{}@x.test", unique("ann"));
        let user = format!("{path}/portal-user");
        let this = json!({ "email": email });
        let named = json!({ "email": email, "name": "Robin Miller" });
        act(owner, post.clone(), &user, Some(named), 201, "invitation.created staff success").await;
        world.mail(&email, 1).await;
        act(owner, post.clone(), &format!("{user}?action=resend"), Some(this.clone()), 200, "invitation.resent staff success").await;
        let token = world.mail(&email, 2).await.token();
        let anybody = world.browser();
        act(&anybody, post.clone(), "/api/portal/auth/resend-activation", Some(this.clone()), 200, "activation.requested anonymous success").await;
        world.mail(&email, 3).await;
        let (ann, first, second) = (world.browser(), password(), password());
        let wrong = json!({ "email": email, "password": password() });
        act(&world.browser(), post.clone(), SIGN_IN, Some(wrong.clone()), 401, "session.opened anonymous failure").await;
        act(&ann, post.clone(), "/api/portal/auth/activate", Some(json!({ "token": token, "password": first })), 200, "invitation.accepted portal success\nportal_user.activated portal success").await;
        act(&world.browser(), post.clone(), SIGN_IN, Some(wrong), 401, "session.opened anonymous failure").await;
        let stranger = json!({ "email": format!("{}@x.test", unique("stranger")), "password": first });
        act(&world.browser(), post.clone(), SIGN_IN, Some(stranger), 401, "session.opened anonymous failure").await;
        let right = json!({ "email": email, "password": first });
        let second_browser = world.browser();
        act(&second_browser, post.clone(), SIGN_IN, Some(right), 200, "session.opened portal success").await;
        let change = "/api/portal/auth/change-password";
        let guess = json!({ "current_password": password(), "new_password": second });
        act(&ann, post.clone(), change, Some(guess), 401, "password.changed portal failure").await;
        let changed = json!({ "current_password": first, "new_password": second });
        act(&ann, post.clone(), change, Some(changed), 204, "password.changed portal success").await;
        world.mail(&email, 4).await;
        act(&anybody, post.clone(), "/api/portal/auth/forgot-password", Some(this.clone()), 200, "password.reset_requested anonymous success").await;
        let reset = world.mail(&email, 5).await.token();
        let third = password();
        let body = json!({ "token": reset, "password": third });
        act(&anybody, post.clone(), "/api/portal/auth/reset-password", Some(body), 200, "password.reset portal success").await;
        world.mail(&email, 6).await;
        let body = json!({ "email": email, "password": third });
        act(&ann, post.clone(), SIGN_IN, Some(body.clone()), 200, "session.opened portal success").await;
        let copied = ann.cookie("portico_portal_refresh").unwrap();
        for _ in 0..2 {
            act(&ann, post.clone(), "/api/portal/auth/refresh", None, 200, "").await;
        }
        let thief = world.browser();
        thief.set_cookie("portico_portal_refresh", &copied);
        act(&thief, post.clone(), "/api/portal/auth/refresh", None, 401, "session.refresh_token_reused anonymous failure").await;
        act(&ann, post.clone(), SIGN_IN, Some(body.clone()), 200, "session.opened portal success").await;
        act(&ann, post.clone(), "/api/portal/auth/sign-out", None, 204, "session.ended portal success").await;
        act(&ann, post.clone(), "/api/portal/auth/sign-out", None, 204, "").await;
        act(&ann, post.clone(), SIGN_IN, Some(body.clone()), 200, "session.opened portal success").await;
        act(&ann, post.clone(), "/api/portal/auth/sign-out-everywhere", None, 204, "session.all_ended portal success").await;
        act(owner, Method::PATCH, &path, Some(json!({ "status": "archived" })), 200, "client.changed staff success").await;
        act(&world.browser(), post.clone(), SIGN_IN, Some(body), 403, "session.opened anonymous failure").await;

        let staff = json!({ "email": tenant.owner_email });
        let sent = act(&anybody, post.clone(), "/api/staff/auth/send-code", Some(staff), 200, "staff_code.requested anonymous success").await;
        let code = world.mail(&tenant.owner_email, 2).await.code.unwrap();
        let wrong = format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000);
        for (code, status, expected) in [(wrong, 401, "staff_session.opened anonymous failure"), (code, 200, "staff_session.opened staff success")] {
            let body = json!({ "flow": sent["flow"], "code": code });
            act(&anybody, post.clone(), "/api/staff/auth/verify-code", Some(body), status, expected).await;
        }
        act(&anybody, post.clone(), "/api/staff/auth/sign-out", None, 204, "session.ended staff success").await;
    }

    async fn log_05_one_event_is_one_line(world) {
        let tenant = world.tenant().await;
        let agents = ["a{\"level\":\"info\"}", "a\u{2028}b\u{85}c", "\u{1f706}", "%0a%0d", &"x".repeat(10_000)];
        for agent in agents {
            let id = request_id();
            let email = format!("{}@x.test", unique("nobody"));
            let body = json!({ "email": email, "password": password() }).to_string();
            let headers = [("user-agent", agent), ("x-request-id", &*id)];
            world.browser().send(Method::POST, SIGN_IN, Some(body), &headers).await.problem(401, "invalid_credentials");
            let path = format!("/nowhere/{}", "%0a%1b[31m%e2%80%a8".repeat(20));
            world.browser().send(Method::GET, &path, None, &headers).await.problem(404, "not_found");
            let named = eventually("both are logged", || async {
                let lines: Vec<_> = world.logs().into_iter().filter(|line| line.contains(&id) && line.contains("answered")).collect();
                (lines.len() >= 2).then_some(lines)
            })
            .await;
            assert_eq!(named.len(), 2, "{named:#?}");
            assert!(named.iter().all(|line| line.len() < 2_000 && !line.contains(['\u{1b}', '\u{2028}', '\u{85}'])), "{named:#?}");
        }
        // A name holds nothing that could begin a line of its own.
        for name in ["a\n{\"level\":\"info\"}", "a\u{1b}[31m", "a\u{2028}b", "a\rb"] {
            assert_eq!(tenant.owner.post("/api/v1/clients", json!({ "name": name })).await.bad_fields(), ["/name"], "{name:?}");
        }
        if world.apis.len() > 1 {
            for line in world.logs().iter().filter(|line| !line.is_empty()) {
                let event: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
                assert!(event["level"].is_string() && event["timestamp"].is_string(), "{line}");
            }
        }
    }

    // The search for them in the logs is every story's end.
    async fn log_06_secrets_in_addresses_of_pages_are_not_logged(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let token = person.request_reset(world, 2).await;
        let id = request_id();
        let page = format!("http://localhost:4000/portal/reset-password?token={token}#token={token}");
        let headers = [("referer", &*page), ("x-request-id", &*id)];
        for path in ["/api/portal/auth/session", "/nowhere", "/health/live"] {
            let answer = world.browser().send(Method::GET, &format!("{path}?token={token}"), None, &headers).await;
            assert!(answer.status >= 400 && !answer.text.contains(&token), "{answer:?}");
        }
        let body = json!({ "email": person.email }).to_string();
        world.browser().send(Method::POST, "/api/portal/auth/forgot-password", Some(body), &headers).await.expect(200);
        eventually("all are logged", || async {
            (world.logs().iter().filter(|line| line.contains(&id) && line.contains("answered")).count() == 4).then_some(())
        })
        .await;
        assert!(!world.logs().iter().any(|line| line.contains(&token)));
        world.mail(&person.email, 3).await;
    }
}

fn run(args: &[&str], env: &[(String, String)]) -> Output {
    Command::new(binary()).args(args).env_clear().envs(env.iter().cloned()).output().unwrap()
}

/// Everything that it said.
fn output_text(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

// What cannot be reached, or not be read, is named without its password.
#[tokio::test]
async fn log_07_no_complaint_shows_the_password_of_an_address() {
    let canaries =
        ["canary-1-database", "canary-2-queue", "canary-3-mail", "Y2FuYXJ5LTQtc2VydmVyLWtleS0tLS0tLS0tLS0tLS0tLS0="];
    let folder = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite:{}", folder.path().join("portico.db").display());
    let base = |changes: &[(&str, &str)]| {
        let all = [
            ("PORTICO_ENV", "production"),
            ("PORTICO_SECRET", canaries[3]),
            ("PORTICO_PUBLIC_URL", "http://localhost:4000"),
            ("PORTICO_TRUSTED_PROXIES", "none"),
            ("PORTICO_LISTEN", "127.0.0.1:0"),
            ("PORTICO_INTERNAL_LISTEN", "127.0.0.1:0"),
            ("PORTICO_LOG", "trace"),
            ("DATABASE_URL", &sqlite),
            ("MAIL_URL", "smtps://user:canary-3-mail@127.0.0.1:1"),
        ];
        let kept = all.into_iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        kept.chain(changes.iter().copied()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>()
    };
    let no_canary = |said: &str| {
        for canary in canaries {
            assert!(!said.contains(canary), "{canary} in {said}");
        }
    };
    let cases: [(&[&str], &str, &str); 13] = [
        (&["migrate"], "DATABASE_URL", "postgres://user:canary-1-database@127.0.0.1:1/x"),
        (&["migrate"], "DATABASE_URL", "postgres://user:canary-1-database@no-such-host.invalid/x"),
        (&["serve"], "DATABASE_URL", "postgres://user:canary-1-database@127.0.0.1:1/x?sslmode=verify-full"),
        (&["check-config"], "DATABASE_URL", "postgres://user:canary-1-database@h:notaport/x"),
        (&["check-config"], "DATABASE_URL", "mysql://user:canary-1-database@h/x"),
        (&["check-config"], "DATABASE_URL", "postgres://user:canary-1-database@h/x?sslmode=canary-1-database"),
        (&["check-config"], "REDIS_URL", "http://user:canary-2-queue@host"),
        (&["serve"], "REDIS_URL", "redis://user:canary-2-queue@host:notaport"),
        (&["check-config"], "MAIL_URL", "smtp://user:canary-3-mail@host?tls=none"),
        (&["check-config"], "MAIL_URL", "smtp://user:canary-3-mail@host?tls=canary-3-mail"),
        (&["check-config"], "MAIL_URL", "imap://user:canary-3-mail@host"),
        (&["check-config"], "PORTICO_SECRET", &canaries[3][1..]),
        (&["check-config"], "PORTICO_SECRETS", canaries[3]),
    ];
    for (args, name, value) in cases {
        let output = run(args, &base(&[(name, value)]));
        assert!(!output.status.success(), "{name}={value}");
        assert!(output_text(&output).contains(name), "{}", output_text(&output));
        no_canary(&output_text(&output));
    }
    // A mail server that is not there, and one that refuses our password.
    for url in ["smtps://user:canary-3-mail@127.0.0.1:1", "smtps://user:canary-3-mail@no-such-host.invalid"] {
        let output = run(&["mail", "test", "--to", "ops@x.test"], &base(&[("MAIL_URL", url)]));
        assert!(!output.status.success());
        no_canary(&output_text(&output));
    }
    let sink = crate::support::Sink::start().await;
    let url = sink.implicit_tls_url().replacen("secret-of-the-sink", "canary-3-mail", 1);
    let output = run(&["mail", "test", "--to", "ops@x.test"], &base(&[("MAIL_URL", &url)]));
    assert!(!output.status.success() && output_text(&output).contains("535"), "{}", output_text(&output));
    no_canary(&output_text(&output));
    // A queue that is not there, and one that refuses our password, while requests come in.
    let redis = Redis::start().await;
    for url in [
        "redis://user:canary-2-queue@127.0.0.1:1".to_owned(),
        format!("redis://:canary-2-queue@127.0.0.1:{}", redis.port()),
    ] {
        let env = base(&[("REDIS_URL", &url), ("PORTICO_TRUSTED_PROXIES", "127.0.0.0/8")]);
        let api = crate::support::Process::start(binary(), &["serve"], &env);
        api.wait_for_log("the queue is complained about", |line| line.contains("queue cannot be reached").then_some(())).await;
        no_canary(&api.logs().join("\n"));
    }
}

#[tokio::test]
async fn log_03_what_a_killed_api_has_done_it_has_recorded() {
    let mut world = World::start(Deployment::Cluster, &[]).await;
    let tenant = world.tenant().await;
    for _ in 0..4 {
        let url = format!("{}/api/v1/clients", world.apis[0]);
        let cookie = format!("portico_staff={}", tenant.owner.cookie("portico_staff").unwrap());
        let writing = (0..60).map(|n| {
            let request = reqwest::Client::new().post(&url).header("content-type", "application/json");
            let request = request.header("cookie", &cookie).body(json!({ "name": format!("Client {n}") }).to_string());
            async move { request.send().await.is_ok_and(|answer| answer.status() == 201) }
        });
        let written = "SELECT count(*) FROM clients";
        let before = world.sql(written);
        let writing = tokio::spawn(futures_util::future::join_all(writing.collect::<Vec<_>>()));
        eventually("some are written", || async { (world.sql(written) != before).then_some(()) }).await;
        world.processes.remove(0).kill();
        world.apis.remove(0);
        let answered = writing.await.unwrap().into_iter().filter(|made| *made).count();
        let made: usize = world.sql(written).parse().unwrap();
        assert!(answered <= made - before.parse::<usize>().unwrap());
        let without = "SELECT count(*) FROM clients c FULL JOIN audit_events e ON e.target_id = c.id AND e.action = 'client.created' \
                       WHERE c.id IS NULL AND e.action = 'client.created' OR e.id IS NULL";
        assert_eq!(world.sql(without), "0", "neither an act without its record, nor a record without its act");
        world.start_api("api").await;
    }
}
