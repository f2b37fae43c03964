//! Sends spans to a collector by OTLP/HTTP with JSON (OTLP specification 1.x, "OTLP/HTTP Request").

use std::{error::Error, time::Duration};

use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use portico_domain::platform::metrics;
use serde_json::json;
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};
use tracing::warn;
use url::Url;

use super::{Message, span::Span};

/// The maximum number of spans in one request.
const BATCH: usize = 512;
/// How long the exporter collects further spans before it sends a batch that is not full.
const BATCH_WAIT: Duration = Duration::from_millis(500);
/// How long one request may take, including the connection.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Sends the spans of `messages` to the collector until [`Message::Flush`] arrives or the channel closes.
///
/// `endpoint` is the base URL of the collector, and `service` the value of `service.name`. Spans that the collector
/// does not accept are dropped and counted; they are not sent again. A warning is logged for the first failure after a
/// success.
pub(super) async fn export(endpoint: Url, service: String, mut messages: mpsc::Receiver<Message>) {
    let mut is_failing = false;
    let mut batch = Vec::with_capacity(BATCH);
    while messages.recv_many(&mut batch, BATCH).await > 0 {
        let has_flush = |batch: &[Message]| batch.iter().any(|message| matches!(message, Message::Flush));
        let deadline = Instant::now() + BATCH_WAIT;
        while !has_flush(&batch)
            && batch.len() < BATCH
            && let Ok(Some(message)) = timeout_at(deadline, messages.recv()).await
        {
            batch.push(message);
        }
        let is_last = has_flush(&batch);
        let spans: Vec<Span> = batch.drain(..).filter_map(Message::ended).collect();
        let count = spans.len() as u64;
        let sent = match spans.is_empty() {
            true => Ok(()),
            false => send(&endpoint, body(&service, &spans)).await,
        };
        match sent {
            Ok(()) => is_failing = false,
            Err(why) => {
                metrics::spans_dropped(count);
                if !is_failing {
                    warn!(why, "the collector of OTEL_EXPORTER_OTLP_ENDPOINT does not accept spans; they are dropped");
                }
                is_failing = true;
            }
        }
        if is_last {
            return;
        }
    }
}

impl Message {
    /// Returns the span of the message, or `None` if it is a flush.
    fn ended(self) -> Option<Span> {
        match self {
            Self::Ended(span) => Some(*span),
            Self::Flush => None,
        }
    }
}

/// Returns the request body: an `ExportTraceServiceRequest` as JSON.
fn body(service: &str, spans: &[Span]) -> String {
    let text = |name: &str, value: &str| json!({ "key": name, "value": { "stringValue": value } });
    let version = env!("CARGO_PKG_VERSION");
    json!({
        "resourceSpans": [{
            "resource": { "attributes": [text("service.name", service), text("service.version", version)] },
            "scopeSpans": [{
                "scope": { "name": "portico", "version": version },
                "spans": spans.iter().map(Span::json).collect::<Vec<_>>(),
            }],
        }],
    })
    .to_string()
}

/// Sends one request, within [`RESPONSE_TIMEOUT`].
///
/// # Errors
/// Returns the reason as text if the collector cannot be reached, answers no 2xx status, or does not answer in time.
async fn send(endpoint: &Url, body: String) -> Result<(), String> {
    match timeout(RESPONSE_TIMEOUT, post(endpoint, body)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no response within {} s", RESPONSE_TIMEOUT.as_secs())),
    }
}

/// Sends one request on a new connection. Batches that are not full are at least half a second apart, so that keeping
/// the connection would save little.
///
/// # Errors
/// Returns an error if the connection fails or the response has no 2xx status.
async fn post(endpoint: &Url, body: String) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (host, port) = (endpoint.host_str().unwrap_or_default(), endpoint.port_or_known_default().unwrap_or(80));
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection_task = tokio::spawn(connection);
    let request = Request::post(format!("{}/v1/traces", endpoint.path().trim_end_matches('/')))
        .header(header::HOST, format!("{host}:{port}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::<Bytes>::from(body))?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let _ = response.into_body().collect().await;
    connection_task.abort();
    if status.is_success() { Ok(()) } else { Err(format!("the collector answered with status {status}").into()) }
}
