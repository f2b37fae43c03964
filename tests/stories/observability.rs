//! What operators see: metrics, traces, health and logs.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{OtlpCollector, Scrape, Deployment, World, eventually, psql, stories, unique};

const SIGN_IN: &str = "/api/portal/auth/sign-in";

stories! {
    async fn http_14_metrics_and_details_are_on_the_internal_listener_alone(world) {
        for path in ["/metrics", "/debug/pprof", "/.env", "/openapi.json", "/health", "/health/ready/details"] {
            world.browser().get(path).await.problem(404, "not_found");
        }
        for path in ["/health/live", "/health/ready"] {
            let answer = world.browser().get(path).await.expect(200);
            assert_eq!(answer.as_object().unwrap().keys().collect::<Vec<_>>(), ["status"]);
        }
        for internal in world.internals().await {
            let live: Value = reqwest::get(format!("{internal}/health/live")).await.unwrap().json().await.unwrap();
            assert_eq!(live, json!({ "status": "ok" }));
            Scrape::of(&[internal]).await.check();
        }
    }
}

/// The words of an expression that are names of metrics, without what Prometheus adds to them.
fn metrics_in(text: &str, found: &mut BTreeSet<String>) {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    found.extend(words.filter(|word| word.starts_with("portico_") || word.starts_with("process_")).map(str::to_owned));
}

fn expressions(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| match value {
            Value::String(text) if name == "expr" || name == "query" => metrics_in(text, found),
            value => expressions(value, found),
        }),
        Value::Array(values) => values.iter().for_each(|value| expressions(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn log_08_what_happens_moves_its_metric_and_the_dashboard_and_alerts_ask_for_none_that_is_not_there() {
    let world = World::start(Deployment::Cluster, &[("PORTICO_LIMIT_SIGN_IN_ACCOUNT", "3/15m")]).await;
    let internals = world.internals().await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;

    // A copied refresh token.
    let thief = world.browser();
    let old = person.browser.cookie("portico_portal_refresh").unwrap();
    for _ in 0..2 {
        person.browser.call("/api/portal/auth/refresh").await.expect(200);
    }
    thief.set_cookie("portico_portal_refresh", &old);
    thief.call("/api/portal/auth/refresh").await.problem(401, "session_revoked");
    // Somebody who guesses, until a limit stops them.
    let guesser = world.browser();
    let guess = json!({ "email": person.email, "password": "not-the-password-1" });
    for _ in 0..3 {
        guesser.post(SIGN_IN, guess.clone()).await.problem(401, "invalid_credentials");
    }
    guesser.post(SIGN_IN, guess).await.problem(429, "too_many_requests");
    // A mail that the server will never take, one that it does not take now, and one to a stranger.
    let client = tenant.client("Acme Ltd").await;
    let refused = json!([{ "stage": "rcpt", "do": "reject", "code": 450, "times": 1 }]);
    world.sink().fail(refused).await;
    tenant.invite(&client, &format!("{}@x.test", unique("late"))).await;
    let stranger = json!({ "email": "nobody@x.test" });
    world.browser().post("/api/portal/auth/forgot-password", stranger).await.expect(200);

    eventually("every metric has moved", || async {
        let scrape = Scrape::of(&internals).await;
        let moved = [
            scrape.sum("portico_refresh_tokens_reused_total", &[]) == 1.0,
            scrape.sum("portico_sessions_ended_total", &[("reason", "refresh_token_reused")]) == 1.0,
            scrape.sum("portico_audit_events_total", &[("action", "session.opened"), ("outcome", "failure")]) == 3.0,
            scrape.sum("portico_rate_limited_total", &[("limit", "sign_in_account")]) == 1.0,
            scrape.sum("portico_http_requests_total", &[("operation", "sign_in"), ("status", "401")]) == 3.0,
            scrape.sum("portico_http_request_seconds_count", &[("operation", "sign_in")]) == 4.0,
            scrape.sum("portico_hash_seconds_count", &[]) >= 4.0,
            scrape.sum("portico_hash_wait_seconds_count", &[]) >= 4.0,
            scrape.sum("portico_hash_slots_busy", &[]) == 0.0,
            scrape.sum("portico_http_requests_in_flight", &[]) == 0.0,
            scrape.sum("portico_jobs_total", &[("job", "send_mail"), ("outcome", "done")]) >= 3.0,
            scrape.sum("portico_job_start_seconds_count", &[("lane", "urgent")]) >= 2.0,
            scrape.sum("portico_mails_total", &[("kind", "staff_code"), ("outcome", "sent")]) == 1.0,
            scrape.sum("portico_mails_total", &[("kind", "invitation"), ("outcome", "transient")])
                + scrape.sum("portico_mails_total", &[("kind", "activation"), ("outcome", "transient")])
                >= 1.0,
            scrape.sum("portico_mails_total", &[("kind", "reset"), ("outcome", "suppressed")]) == 1.0,
            scrape.sum("portico_mail_seconds_count", &[("kind", "staff_code")]) == 1.0,
            // The refused mail waits: the outbox has an age.
            scrape.max("portico_mails_waiting", &[]) >= 1.0,
            scrape.max("portico_mails_oldest_seconds", &[]) > 0.0,
            scrape.max("portico_workers", &[]) == 2.0,
            scrape.sum("portico_dependency_up", &[("dependency", "database")]) == 4.0,
            scrape.sum("process_resident_memory_bytes", &[]) > 1e6,
            scrape.sum("process_open_fds", &[]) > 10.0,
        ];
        let all = moved.iter().all(|moved| *moved);
        if !all {
            eprintln!("{moved:?}");
        }
        all.then_some(())
    })
    .await;

    // A job that is dead, and one that has waited for ten minutes, as the whole installation's rows say.
    let database = &world.env.iter().find(|(name, _)| name == "DATABASE_URL").unwrap().1;
    psql(
        database,
        "INSERT INTO background_jobs (id, name, lane, payload, state, attempts, max_attempts, crash_count, run_at, created_at) \
         VALUES (gen_random_uuid(), 'x', 'bulk', '{}', 'dead', 8, 8, 0, now(), now())",
    );
    eventually("the dead job is seen", || async {
        (Scrape::of(&internals).await.max("portico_jobs_dead", &[("lane", "bulk")]) == 1.0).then_some(())
    })
    .await;

    let scrape = Scrape::of(&internals).await;
    scrape.check();
    let mut asked = BTreeSet::new();
    expressions(&serde_json::from_str(include_str!("../../deploy/grafana/portico.json")).unwrap(), &mut asked);
    let rules = include_str!("../../deploy/prometheus/alerts.yml");
    rules.lines().filter(|line| !line.trim_start().starts_with('#')).for_each(|line| metrics_in(line, &mut asked));
    let unknown: Vec<_> = asked.difference(&scrape.names()).cloned().collect();
    // These appear when they first happen, which here they did not.
    let later = ["portico_hash_refused_total"];
    let unknown: Vec<_> = unknown.iter().filter(|name| !later.contains(&name.as_str())).collect();
    assert!(asked.len() > 25 && unknown.is_empty(), "{} asked for, not there: {unknown:?}", asked.len());

    // Labels are words of the code: nothing that came from outside.
    for (label, values) in scrape.labels() {
        assert!(values.len() < 60, "{label} has {} values", values.len());
        for value in values {
            let is_word = value.len() < 40 && value.chars().all(|c| c.is_ascii_alphanumeric() || "_.+-".contains(c));
            assert!(is_word && !value.contains("x.test"), "{label}={value}");
        }
    }
}

#[tokio::test]
async fn inf_17_health_is_cheap_and_names_what_fails_inside_alone() {
    let mut world = World::start(Deployment::Cluster, &[]).await;
    let internals = world.internals().await;
    let ready = |index: usize| {
        let url = format!("{}/health/ready", internals[index]);
        async move {
            let answer = reqwest::get(url).await.unwrap();
            let status = answer.status().as_u16();
            (status, answer.json::<Value>().await.unwrap())
        }
    };
    let says = async |what: &str, field: &str, expected: Value| {
        eventually(what, || async {
            let (_, body) = ready(0).await;
            (body.pointer(field) == Some(&expected)).then_some(())
        })
        .await;
    };
    says("all is well", "/status", json!("ok")).await;
    says("both workers are seen", "/worker/seen", json!(2)).await;

    // Many questions are few probes.
    let probes = async || Scrape::of(&internals[..1]).await.sum("portico_probes_total", &[("dependency", "database")]);
    let (before, began) = (probes().await, std::time::Instant::now());
    let api = world.browser().at(&world.apis[..1]);
    for _ in 0..300 {
        api.get("/health/ready").await.expect(200);
    }
    let most = began.elapsed().as_secs_f64() + 3.0;
    assert!(probes().await - before <= most, "300 questions, at most one probe a second: {most}");

    for worker in world.workers() {
        worker.signal("TERM");
    }
    says("no worker is seen", "/worker/status", json!("missing")).await;
    assert_eq!(api.get("/health/ready").await.expect(200), json!({ "status": "degraded" }));
    world.redis().process.kill();
    says("the queue is missed", "/queue/status", json!("failing")).await;
    assert_eq!(api.get("/health/ready").await.expect(200), json!({ "status": "degraded" }));

    let url = world.env.iter().find(|(name, _)| name == "DATABASE_URL").unwrap().1.clone();
    let (server, name) = url.rsplit_once('/').unwrap();
    let server = format!("{server}/postgres");
    psql(&server, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
    psql(&server, &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
    says("the database is missed", "/database/status", json!("failing")).await;
    assert_eq!(ready(0).await.0, 503);
    let problem = api.get("/health/ready").await.problem(503, "unavailable");
    assert!(!problem.to_string().contains("database"), "{problem}");
    api.get("/health/live").await.expect(200);
    psql(&server, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
    says("the database is back", "/database/status", json!("ok")).await;
    world.processes.clear();
}

#[tokio::test]
async fn inf_13_a_process_that_stops_is_first_not_ready_and_still_serves() {
    let mut world = World::start(Deployment::Cluster, &[("PORTICO_DRAIN_DELAY", "10s")]).await;
    let internal = world.internals().await.remove(0);
    let api = world.browser().at(&world.apis[..1]);
    eventually("it is ready", || async { (api.get("/health/ready").await.status == 200).then_some(()) }).await;
    world.processes[0].signal("TERM");
    eventually("it is not ready", || async { (api.get("/health/ready").await.status == 503).then_some(()) }).await;
    // A new connection is served all the same.
    world.browser().at(&world.apis[..1]).get("/api/portal/auth/session").await.problem(401, "unauthenticated");
    let inside: Value = reqwest::get(format!("{internal}/health/ready")).await.unwrap().json().await.unwrap();
    assert_eq!((&inside["status"], &inside["database"]["status"]), (&json!("draining"), &json!("ok")));
    assert!(world.processes.remove(0).ends().await);
}

#[tokio::test]
async fn one_trace_leads_from_the_request_through_the_job_to_the_mail_server() {
    let collector = OtlpCollector::start().await;
    let settings = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url())];
    let world = World::start(Deployment::Cluster, &settings).await;
    let tenant = world.tenant().await;
    let person = tenant.person(&world).await;
    let id = "01a1fdba-f86f-76f5-b296-4e548b3691ab";
    let body = json!({ "email": person.email }).to_string();
    let strange = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [("x-request-id", id), ("traceparent", strange)];
    let path = "/api/portal/auth/forgot-password";
    let answer = world.browser().send(Method::POST, path, Some(body), &headers).await;
    assert!(!format!("{:?}", answer.headers).contains("4bf92f35"), "{:?}", answer.headers);
    answer.expect(200);

    let [request, job, smtp] = eventually("the three spans are there", || async {
        let spans = collector.spans();
        let find = |name: &str| {
            let is_it = |span: &&Value| span["traceId"] == "01a1fdbaf86f76f5b2964e548b3691ab" && span["name"] == name;
            spans.iter().find(is_it).cloned()
        };
        Some([find("forgot_password")?, find("send_mail")?, find("smtp")?])
    })
    .await;
    assert_eq!((&request["spanId"], &request["kind"]), (&json!("b2964e548b3691ab"), &json!(2)));
    assert!(request.get("parentSpanId").is_none());
    assert_eq!((&job["parentSpanId"], &job["kind"]), (&request["spanId"], &json!(5)));
    assert_eq!((&smtp["parentSpanId"], &smtp["kind"]), (&job["spanId"], &json!(3)));
    let moment = |span: &Value, name: &str| span[name].as_str().unwrap().parse::<u64>().unwrap();
    assert!(moment(&smtp, "startTimeUnixNano") >= moment(&job, "startTimeUnixNano"));
    assert!(moment(&smtp, "endTimeUnixNano") <= moment(&job, "endTimeUnixNano"));
    assert!(smtp["attributes"].to_string().contains("sent") && request["attributes"].to_string().contains("200"));

    // What a trace shows are words of the code and numbers.
    let token = world.mail(&person.email, 2).await.token();
    let all = Value::from(collector.spans()).to_string();
    for secret in [&*person.email, &*person.password, &*token, "x.test", "198.", "4bf92f35", "/api/"] {
        assert!(!all.contains(secret), "{secret}");
    }
}

// Also LOG-06.
#[tokio::test]
async fn log_05_http_12_a_line_is_an_event_whatever_clients_write() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let browser = world.browser();
    let forged = "x\t{\"level\":\"INFO\",\"forged\":true}";
    let long = "a".repeat(5_000);
    for (name, value) in [
        ("user-agent", forged),
        ("x-request-id", forged),
        ("traceparent", forged),
        ("referer", "https://x.test/?token=referer-canary"),
        ("user-agent", &*long),
        ("x-request-id", &*long),
    ] {
        let answer = browser.send(Method::GET, "/health/live", None, &[(name, value)]).await;
        let headers = format!("{:?}", answer.headers);
        assert!(answer.status == 200 && !headers.contains("forged") && !headers.contains("aaaa"), "{headers}");
    }
    let id = "01a1fdba-f86f-76f5-b296-4e548b3691ac";
    browser.send(Method::GET, "/nowhere?token=query-canary", None, &[("x-request-id", id)]).await.expect(404);
    browser.get(&format!("/%0a%7b%22level%22%3a%22INFO%22%7d/{long}")).await.expect(404);

    let lines = eventually("the requests are logged", || async {
        let lines = world.logs();
        lines.iter().any(|line| line.contains("%7b%22level")).then_some(lines)
    })
    .await;
    for line in &lines {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not one JSON object: {line}"));
        assert!(event["level"].is_string() && event.get("forged").is_none() && line.len() < 3_000, "{line}");
        assert!(!line.contains("canary") && !line.contains('\u{1b}'), "{line}");
    }
    let line = lines.iter().find(|line| line.contains(id)).expect("the request's line");
    let event: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&event["span"]["request_id"], &event["status"]), (&json!(id), &json!(404)));
    assert_eq!(event["span"]["trace_id"], id.replace('-', ""));
}
