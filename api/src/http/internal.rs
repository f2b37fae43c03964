//! The endpoints of the internal listener: detailed health and metrics, for probes and for Prometheus.
//!
//! They are not in the OpenAPI document and need no credential. The listener must not be reachable from the internet.

use poem::{
    Endpoint, EndpointExt, IntoEndpoint, Response, Route,
    http::{StatusCode, header},
    web::Data,
};
use portico_domain::platform::{
    app::App,
    health::{self, Health},
};
use serde_json::json;
use tracing::error;

use super::host;

/// The media type of the Prometheus text format 0.0.4.
const METRICS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Returns the endpoint that serves `/health/live`, `/health/ready` and `/metrics`.
pub(crate) fn endpoint(app: App) -> impl Endpoint {
    Route::new()
        .at("/health/live", poem::get(live))
        .at("/health/ready", poem::get(ready))
        .at("/metrics", poem::get(scrape))
        .data(app)
        .around(|endpoint, request| async move {
            match host::check(&request) {
                Ok(()) => Ok(endpoint.get_response(request).await),
                Err(error) => Ok(json_response(StatusCode::BAD_REQUEST, &json!({ "status": error.to_string() }))),
            }
        })
        .into_endpoint()
}

/// Answers 200 while the process runs.
#[poem::handler]
fn live() -> Response {
    json_response(StatusCode::OK, &json!({ "status": "ok" }))
}

/// Answers 200 or 503, as `/health/ready` of the public listener does, and adds the state of each dependency.
#[poem::handler]
async fn ready(Data(app): Data<&App>) -> Response {
    let health = health::check(app).await;
    let status = if health.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json_response(status, &details(&health))
}

/// Answers with all metrics, or 500 if they cannot be rendered.
#[poem::handler]
async fn scrape(Data(app): Data<&App>) -> Response {
    match health::render_metrics(app).await {
        Ok(text) => Response::builder().content_type(METRICS_TEXT).body(text),
        Err(error) => {
            error!(%error, "cannot render the metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into()
        }
    }
}

/// Returns the body of `/health/ready`: the overall status and the state of each dependency.
///
/// The overall status is `draining` while the process stops, `failing` while the database does not answer, `degraded`
/// while requests succeed but mail is delayed, and `ok` otherwise.
fn details(health: &Health) -> serde_json::Value {
    let state = |is_ok: bool, otherwise: &'static str| if is_ok { "ok" } else { otherwise };
    let status = match (health.draining, health.is_ready(), health.is_fully_working()) {
        (true, ..) => "draining",
        (_, false, _) => "failing",
        (_, _, false) => "degraded",
        _ => "ok",
    };
    json!({
        "status": status,
        "database": { "status": state(health.database, "failing") },
        "queue": { "status": state(health.queue, "failing") },
        "mail": {
            "status": if health.mail_held { "held" } else { state(health.is_mail_in_time(), "late") },
            "oldest_seconds": health.oldest_mail_age.map(|age| age.as_secs()),
        },
        "worker": { "status": state(health.has_worker(), "missing"), "seen": health.workers },
    })
}

/// Returns a JSON response that must not be cached.
fn json_response(status: StatusCode, body: &serde_json::Value) -> Response {
    Response::builder()
        .status(status)
        .content_type("application/json")
        .header(header::CACHE_CONTROL, "no-store")
        .body(body.to_string())
}
