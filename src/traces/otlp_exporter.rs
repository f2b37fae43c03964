//! Sending spans to the collector: OTLP/HTTP with JSON (OTLP specification 1.x, "OTLP/HTTP Request").

use std::{error::Error, time::Duration};

use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use portico_domain::metrics;
use serde_json::json;
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{sleep, timeout},
};
use tracing::warn;
use url::Url;

use super::{Message, span::Span};

/// The most spans of one request.
const BATCH: usize = 512;
/// How long spans are gathered for one request.
const BATCH_WAIT: Duration = Duration::from_millis(500);
/// How long the collector may take for one.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Sends what comes until it is told to flush. What the collector does not take is dropped and counted; the log says so
/// once for as long as it lasts.
pub(super) async fn export(endpoint: Url, service: String, mut messages: mpsc::Receiver<Message>) {
    let mut is_failing = false;
    let mut batch = Vec::with_capacity(BATCH);
    while messages.recv_many(&mut batch, BATCH).await > 0 {
        let is_last = |batch: &[Message]| batch.iter().any(|message| matches!(message, Message::Flush));
        if !is_last(&batch) && batch.len() < BATCH {
            sleep(BATCH_WAIT).await;
            while batch.len() < BATCH
                && let Ok(message) = messages.try_recv()
            {
                batch.push(message);
            }
        }
        let last = is_last(&batch);
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
                    warn!(why, "the collector of OTEL_EXPORTER_OTLP_ENDPOINT does not take spans; they are dropped");
                }
                is_failing = true;
            }
        }
        if last {
            return;
        }
    }
}

impl Message {
    fn ended(self) -> Option<Span> {
        match self {
            Self::Ended(span) => Some(*span),
            Self::Flush => None,
        }
    }
}

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

async fn send(endpoint: &Url, body: String) -> Result<(), String> {
    match timeout(RESPONSE_TIMEOUT, post(endpoint, body)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer in time".into()),
    }
}

/// One connection a request: there are two a second at most.
async fn post(endpoint: &Url, body: String) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (host, port) = (endpoint.host_str().unwrap_or_default(), endpoint.port_or_known_default().unwrap_or(80));
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driven = tokio::spawn(connection);
    let request = Request::post(format!("{}/v1/traces", endpoint.path().trim_end_matches('/')))
        .header(header::HOST, format!("{host}:{port}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::<Bytes>::from(body))?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let _ = answer.into_body().collect().await;
    driven.abort();
    if status.is_success() { Ok(()) } else { Err(format!("it answered {status}").into()) }
}
