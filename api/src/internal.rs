//! The internal listener: health in detail and metrics, for probes and scrapes. Not in the document, and not for the internet.

use poem::{
    Endpoint, EndpointExt, IntoEndpoint, Response, Route,
    http::{StatusCode, header},
    web::Data,
};
use portico_domain::{
    app::App,
    health::{self, Health},
    metrics,
};
use serde_json::json;
use tracing::error;

/// The media type of the Prometheus text format.
const METRICS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(crate) fn endpoint(app: App) -> impl Endpoint {
    Route::new()
        .at("/health/live", poem::get(live))
        .at("/health/ready", poem::get(ready))
        .at("/metrics", poem::get(scrape))
        .data(app)
        .into_endpoint()
}

#[poem::handler]
fn live() -> Response {
    json_answer(StatusCode::OK, &json!({ "status": "ok" }))
}

/// The same verdict as on the public listener, with its reasons.
#[poem::handler]
async fn ready(Data(app): Data<&App>) -> Response {
    let health = health::check(app).await;
    let status = if health.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json_answer(status, &details(&health))
}

#[poem::handler]
async fn scrape(Data(app): Data<&App>) -> Response {
    match metrics::render(app).await {
        Ok(text) => Response::builder().content_type(METRICS_TEXT).body(text),
        Err(error) => {
            error!(%error, "the metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into()
        }
    }
}

fn details(health: &Health) -> serde_json::Value {
    let word = |is_good: bool, bad: &'static str| if is_good { "ok" } else { bad };
    let status = match (health.draining, health.is_ready(), health.is_whole()) {
        (true, ..) => "draining",
        (_, false, _) => "failing",
        (_, _, false) => "degraded",
        _ => "ok",
    };
    json!({
        "status": status,
        "database": { "status": word(health.database, "failing") },
        "queue": { "status": word(health.queue, "failing") },
        "mail": {
            "status": word(health.is_mail_in_time(), "late"),
            "oldest_seconds": health.oldest_mail.map(|oldest| oldest.as_secs()),
        },
        "worker": { "status": word(health.has_worker(), "missing"), "seen": health.workers },
    })
}

fn json_answer(status: StatusCode, body: &serde_json::Value) -> Response {
    Response::builder()
        .status(status)
        .content_type("application/json")
        .header(header::CACHE_CONTROL, "no-store")
        .body(body.to_string())
}
