//! What operators see: metrics, health, traces and logs.

use std::{collections::BTreeSet, time::Instant};

use serde_json::{Value, json};

use crate::support::{
    Browser, Deployment, OtlpCollector, Person, Scrape, World,
    cookies::PORTAL_REFRESH,
    eventually, http,
    paths::{FORGOT_PASSWORD, LIVE, READY},
    psql, stories, unique_email,
};

stories! {
    async fn http_14_metrics_and_health_details_are_not_on_the_public_listener(world) {
        for path in ["/metrics", "/debug/pprof", "/.env", "/openapi.json", "/health", "/health/ready/details"] {
            world.browser().get(path).await.assert_problem("404 not_found");
        }
        for path in [LIVE, READY] {
            let health = world.browser().get(path).await.expect(200);
            assert_eq!(health.as_object().unwrap().keys().collect::<Vec<_>>(), ["status"]);
        }
    }

    async fn http_14_each_internal_listener_serves_liveness_and_valid_metrics(world) {
        for internal in world.internals().await {
            assert_eq!(get_json(&format!("{internal}{LIVE}")).await, (200, json!({ "status": "ok" })));
            Scrape::of(&[internal]).await.assert_promtool_accepts();
        }
    }
}

/// The status and the JSON body at this URL.
async fn get_json(url: &str) -> (u16, Value) {
    let response = http::get(url).await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// A cluster in which the events have happened that [`EXACTLY`] and [`AT_LEAST`] count.
struct Events {
    _world: World,
    internals: Vec<String>,
}

impl Events {
    async fn new() -> Self {
        let world = World::start(Deployment::Cluster, &[("PORTICO_LIMIT_SIGN_IN_ACCOUNT", "3/15m")]).await;
        let internals = world.internals().await;
        let tenant = world.tenant().await;
        let person = tenant.person(&world).await;
        reuse_refresh_token(&world, &person).await;
        guess_password(&world.browser(), &person.email).await;
        // One mail that the server refuses for now, and one that is suppressed because its address is unknown.
        let client = tenant.client("Acme Ltd").await;
        world.sink().fail(json!([{ "stage": "rcpt", "do": "reject", "code": 450, "times": 1 }])).await;
        tenant.invite(&client, &unique_email("late")).await;
        world.browser().forgot_password("unknown@x.test").await.expect(200);
        let events = Self { _world: world, internals };
        events.wait_for_metrics().await;
        events
    }

    async fn scrape(&self) -> Scrape {
        Scrape::of(&self.internals).await
    }

    /// Waits until every metric has the value that the events give it.
    async fn wait_for_metrics(&self) {
        eventually("every metric has its value", || async {
            let wrong = wrong_metrics(&self.scrape().await);
            if !wrong.is_empty() {
                eprintln!("{wrong:#?}");
            }
            wrong.is_empty().then_some(())
        })
        .await;
    }
}

/// Sends a refresh token for the second time, which revokes the session.
async fn reuse_refresh_token(world: &World, person: &Person) {
    let old = person.browser.cookie(PORTAL_REFRESH).unwrap();
    for _ in 0..2 {
        person.browser.refresh().await.expect(200);
    }
    let attacker = world.browser().with_cookie(PORTAL_REFRESH, &old);
    attacker.refresh().await.assert_problem("401 session_revoked");
}

/// Guesses a password until the rate limit refuses.
async fn guess_password(browser: &Browser, email: &str) {
    for _ in 0..3 {
        browser.sign_in(email, "not-the-password-1").await.assert_problem("401 invalid_credentials");
    }
    browser.sign_in(email, "not-the-password-1").await.assert_problem("429 too_many_requests");
}

type Labels = &'static [(&'static str, &'static str)];

/// Metrics whose sum over all processes must be this value.
const EXACTLY: [(&str, Labels, f64); 13] = [
    ("portico_refresh_tokens_reused_total", &[], 1.0),
    ("portico_sessions_ended_total", &[("reason", "refresh_token_reused")], 1.0),
    ("portico_audit_events_total", &[("action", "session.opened"), ("outcome", "failure")], 3.0),
    ("portico_rate_limited_total", &[("limit", "sign_in_account")], 1.0),
    ("portico_http_requests_total", &[("operation", "sign_in"), ("status", "401")], 3.0),
    ("portico_http_request_seconds_count", &[("operation", "sign_in")], 4.0),
    ("portico_hash_slots_busy", &[], 0.0),
    ("portico_http_requests_in_flight", &[], 0.0),
    ("portico_mails_total", &[("kind", "staff_code"), ("outcome", "sent")], 1.0),
    ("portico_mails_total", &[("kind", "reset"), ("outcome", "suppressed")], 1.0),
    ("portico_mail_seconds_count", &[("kind", "staff_code")], 1.0),
    ("portico_dependency_up", &[("dependency", "database")], 4.0),
    ("portico_workers", &[], 8.0),
];

/// Metrics whose sum over all processes must be this value or more.
const AT_LEAST: [(&str, Labels, f64); 9] = [
    ("portico_hash_seconds_count", &[], 4.0),
    ("portico_hash_wait_seconds_count", &[], 4.0),
    ("portico_jobs_total", &[("job", "send_mail"), ("outcome", "done")], 3.0),
    ("portico_job_start_seconds_count", &[("lane", "urgent")], 2.0),
    ("portico_mails_total", &[("kind", "invitation"), ("outcome", "transient")], 1.0),
    // The refused mail waits for its retry.
    ("portico_mails_waiting", &[], 1.0),
    ("portico_mails_deferred", &[], 1.0),
    ("process_resident_memory_bytes", &[], 1e6),
    ("process_open_fds", &[], 10.0),
];

/// The metrics that do not have their value yet, with the value that they have.
fn wrong_metrics(scrape: &Scrape) -> Vec<String> {
    let exactly = EXACTLY.iter().filter(|(name, labels, value)| scrape.sum(name, labels) != *value);
    let at_least = AT_LEAST.iter().filter(|(name, labels, value)| scrape.sum(name, labels) < *value);
    let text = |(name, labels, value): &(&str, Labels, f64)| {
        format!("{name} {labels:?} is {}, not {value}", scrape.sum(name, labels))
    };
    exactly.chain(at_least).map(text).collect()
}

#[tokio::test]
async fn log_08_each_event_moves_its_metric() {
    let events = Events::new().await;
    events.scrape().await.assert_promtool_accepts();
}

#[tokio::test]
async fn log_08_a_dead_job_is_counted_by_its_lane() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let internals = world.internals().await;
    world.sql(
        "INSERT INTO background_jobs \
         (id, name, lane, payload, state, attempts, max_attempts, crash_count, run_at, created_at) \
         VALUES (gen_random_uuid(), 'x', 'bulk', '{}', 'dead', 8, 8, 0, now(), now())",
    );
    eventually("the dead job is counted", || async {
        (Scrape::of(&internals).await.max("portico_jobs_dead", &[("lane", "bulk")]) == 1.0).then_some(())
    })
    .await;
}

/// Adds the names of metrics in a PromQL expression to `found`.
fn metrics_in(expression: &str, found: &mut BTreeSet<String>) {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    found.extend(words.filter(|word| word.starts_with("portico_") || word.starts_with("process_")).map(str::to_owned));
}

/// Adds the names of metrics in all expressions of a Grafana dashboard to `found`.
fn metrics_of_dashboard(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| match value {
            Value::String(text) if name == "expr" || name == "query" => metrics_in(text, found),
            value => metrics_of_dashboard(value, found),
        }),
        Value::Array(values) => values.iter().for_each(|value| metrics_of_dashboard(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn log_08_the_dashboard_and_the_alerts_use_metrics_that_exist() {
    let scrape = Events::new().await.scrape().await;
    let mut used = BTreeSet::new();
    let dashboard = include_str!("../../deploy/grafana/portico.json");
    metrics_of_dashboard(&serde_json::from_str(dashboard).unwrap(), &mut used);
    let alerts = include_str!("../../deploy/prometheus/alerts.yml");
    alerts.lines().filter(|line| !line.trim_start().starts_with('#')).for_each(|line| metrics_in(line, &mut used));
    assert!(used.len() > 25, "{used:?}");
    // A counter with labels exists from its first event on, and no hash was refused here.
    used.remove("portico_hash_refused_total");
    let unknown: Vec<_> = used.difference(&scrape.names()).cloned().collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[tokio::test]
async fn log_08_metric_labels_hold_words_of_the_code_and_no_user_input() {
    for (label, values) in Events::new().await.scrape().await.labels() {
        assert!(values.len() < 60, "{label} has {} values", values.len());
        for value in values {
            let is_word = value.len() < 40 && value.chars().all(|c| c.is_ascii_alphanumeric() || "_.+-".contains(c));
            assert!(is_word && !value.contains("x.test"), "{label}={value}");
        }
    }
}

/// Waits until the detailed readiness at this internal listener has `expected` at a JSON pointer.
async fn wait_for_readiness(internal: &str, pointer: &str, expected: Value) {
    eventually(&format!("{pointer} is {expected}"), || async {
        let (_, body) = get_json(&format!("{internal}{READY}")).await;
        (body.pointer(pointer) == Some(&expected)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn inf_17_readiness_probes_the_database_at_most_once_a_second() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let internals = world.internals().await;
    let probes = async || Scrape::of(&internals[..1]).await.sum("portico_probes_total", &[("dependency", "database")]);
    let (before, began) = (probes().await, Instant::now());
    let api = world.browser().at(&world.apis[..1]);
    for _ in 0..300 {
        api.get(READY).await.expect(200);
    }
    let most = began.elapsed().as_secs_f64() + 3.0;
    assert!(probes().await - before <= most, "at most {most} probes for 300 requests");
}

#[tokio::test]
async fn inf_17_without_workers_or_redis_an_api_is_degraded() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let internal = &world.internals().await[0];
    let api = world.browser().at(&world.apis[..1]);
    wait_for_readiness(internal, "/worker/seen", json!(2)).await;
    wait_for_readiness(internal, "/status", json!("ok")).await;
    for worker in world.workers() {
        worker.signal("TERM");
    }
    wait_for_readiness(internal, "/worker/status", json!("missing")).await;
    assert_eq!(api.get(READY).await.expect(200), json!({ "status": "degraded" }));
    world.redis().process.kill();
    wait_for_readiness(internal, "/queue/status", json!("failing")).await;
    assert_eq!(api.get(READY).await.expect(200), json!({ "status": "degraded" }));
}

/// Lets the database of this world accept connections, or refuse them and end those that are open.
fn accept_database_connections(world: &World, accept: bool) {
    let (server, database) = world.setting("DATABASE_URL").rsplit_once('/').unwrap();
    let server = format!("{server}/postgres");
    psql(&server, &format!("ALTER DATABASE {database} ALLOW_CONNECTIONS {accept}"));
    if !accept {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity";
        psql(&server, &format!("{end} WHERE datname = '{database}'"));
    }
}

#[tokio::test]
async fn inf_17_without_the_database_an_api_is_live_but_not_ready_and_does_not_say_why_in_public() {
    let mut world = World::start(Deployment::Cluster, &[]).await;
    let internal = world.internals().await.remove(0);
    let api = world.browser().at(&world.apis[..1]);
    accept_database_connections(&world, false);
    wait_for_readiness(&internal, "/database/status", json!("failing")).await;
    assert_eq!(get_json(&format!("{internal}{READY}")).await.0, 503);
    let problem = api.get(READY).await.assert_problem("503 unavailable");
    assert!(!problem.to_string().contains("database"), "{problem}");
    api.get(LIVE).await.expect(200);
    accept_database_connections(&world, true);
    wait_for_readiness(&internal, "/database/status", json!("ok")).await;
    world.processes.clear();
}

#[tokio::test]
async fn inf_13_a_stopping_api_is_not_ready_and_still_serves_new_connections() {
    let mut world = World::start(Deployment::Cluster, &[("PORTICO_DRAIN_DELAY", "10s")]).await;
    let internal = world.internals().await.remove(0);
    let api = world.browser().at(&world.apis[..1]);
    eventually("the API is ready", || async { (api.get(READY).await.status == 200).then_some(()) }).await;
    world.processes[0].signal("TERM");
    eventually("the API is not ready", || async { (api.get(READY).await.status == 503).then_some(()) }).await;
    world.browser().at(&world.apis[..1]).session().await.assert_problem("401 unauthenticated");
    let (_, details) = get_json(&format!("{internal}{READY}")).await;
    assert_eq!((&details["status"], &details["database"]["status"]), (&json!("draining"), &json!("ok")));
    assert!(world.processes.remove(0).ends().await);
}

/// The id of the request that is traced. Its trace has the same id without the hyphens.
const REQUEST_ID: &str = "01a1fdba-f86f-76f5-b296-4e548b3691ab";
/// A trace of the client's, which must be ignored.
const FOREIGN_TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A cluster that exports its spans, and a portal user who has requested a reset link under [`REQUEST_ID`].
struct Traced {
    world: World,
    collector: OtlpCollector,
    person: Person,
}

impl Traced {
    async fn new() -> Self {
        let collector = OtlpCollector::start().await;
        let endpoint = collector.url();
        let world = World::start(Deployment::Cluster, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]).await;
        let person = world.tenant().await.person(&world).await;
        let headers = [("x-request-id", REQUEST_ID), ("traceparent", FOREIGN_TRACE)];
        let body = json!({ "email": person.email });
        let response = world.browser().post_with_headers(FORGOT_PASSWORD, body, &headers).await;
        assert!(!format!("{:?}", response.headers).contains("4bf92f35"), "{:?}", response.headers);
        response.expect(200);
        Self { world, collector, person }
    }

    /// Waits for the spans of the request, its job and the SMTP session.
    async fn spans(&self) -> [Value; 3] {
        let trace = REQUEST_ID.replace('-', "");
        eventually("the three spans are exported", || async {
            let spans = self.collector.spans();
            let find =
                |name: &str| spans.iter().find(|span| span["traceId"] == *trace && span["name"] == name).cloned();
            Some([find("forgot_password")?, find("send_mail")?, find("smtp")?])
        })
        .await
    }
}

#[tokio::test]
async fn one_trace_joins_the_request_the_job_and_the_smtp_session() {
    let [request, job, smtp] = Traced::new().await.spans().await;
    assert_eq!((&request["spanId"], &request["kind"]), (&json!("b2964e548b3691ab"), &json!(2)));
    assert!(request.get("parentSpanId").is_none());
    assert_eq!((&job["parentSpanId"], &job["kind"]), (&request["spanId"], &json!(5)));
    assert_eq!((&smtp["parentSpanId"], &smtp["kind"]), (&job["spanId"], &json!(3)));
    let time = |span: &Value, name: &str| span[name].as_str().unwrap().parse::<u64>().unwrap();
    assert!(time(&smtp, "startTimeUnixNano") >= time(&job, "startTimeUnixNano"));
    assert!(time(&smtp, "endTimeUnixNano") <= time(&job, "endTimeUnixNano"));
    assert!(smtp["attributes"].to_string().contains("sent") && request["attributes"].to_string().contains("200"));
}

#[tokio::test]
async fn spans_hold_no_addresses_no_secrets_and_no_foreign_trace() {
    let traced = Traced::new().await;
    traced.spans().await;
    let token = traced.world.mail(&traced.person.email, 2).await.token();
    let spans = Value::from(traced.collector.spans()).to_string();
    for secret in [&*traced.person.email, &traced.person.password, &token, "x.test", "198.", "4bf92f35", "/api/"] {
        assert!(!spans.contains(secret), "{secret}");
    }
}

/// Sends requests that try to forge log lines or to log a secret. Each log line must be one JSON object of its own.
async fn send_forged_requests(browser: &Browser) {
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
        let response = browser.get_with_headers(LIVE, &[(name, value)]).await;
        let headers = format!("{:?}", response.headers);
        assert!(response.status == 200 && !headers.contains("forged") && !headers.contains("aaaa"), "{headers}");
    }
    browser.get(&format!("/%0a%7b%22level%22%3a%22INFO%22%7d/{long}")).await.expect(404);
}

#[tokio::test]
async fn log_05_log_06_http_12_each_log_line_is_one_event_of_limited_length_without_secrets() {
    let world = World::start(Deployment::Cluster, &[]).await;
    let (browser, headers) = (world.browser(), [("x-request-id", REQUEST_ID)]);
    browser.get_with_headers("/nowhere?token=query-canary", &headers).await.expect(404);
    send_forged_requests(&browser).await;
    let lines = eventually("the requests are logged", || async {
        let lines = world.logs();
        lines.iter().any(|line| line.contains("/*/*")).then_some(lines)
    })
    .await;
    for line in &lines {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not one JSON object: {line}"));
        assert!(event["level"].is_string() && event.get("forged").is_none() && line.len() < 3_000, "{line}");
        assert!(!line.contains("canary") && !line.contains('\u{1b}'), "{line}");
    }
    let line = lines.iter().find(|line| line.contains(REQUEST_ID)).expect("the request is logged");
    let event: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&event["span"]["request_id"], &event["status"]), (&json!(REQUEST_ID), &json!(404)));
    assert_eq!(event["span"]["trace_id"], REQUEST_ID.replace('-', ""));
}

#[test]
fn log_08_each_alert_names_its_row_in_the_operations_guide() {
    let guide = include_str!("../../docs/operations.md");
    let alerts = include_str!("../../deploy/prometheus/alerts.yml");
    let names: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let urls: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("runbook_url: ")).collect();
    assert_eq!(names.len(), urls.len());
    for (name, url) in names.iter().zip(urls) {
        let anchor = url.trim_matches('"').split_once('#').expect("a fragment").1;
        assert!(guide.contains(&format!("<a id=\"{anchor}\"></a>`{name}`")), "{name}");
    }
}
