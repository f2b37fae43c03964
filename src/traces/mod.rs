//! Exports traces to an OpenTelemetry collector. A trace shows a request, and the jobs and mails that it caused, also
//! those that other processes ran and sent.
//!
//! The request id is also the trace id; both have 128 bits. The id of the root span is the last half of the request id.
//! A job stores the id of the request that caused it, and so it knows its trace and its parent span.
//!
//! The `traceparent` header is ignored. To continue its own trace, a gateway sends the trace id as `X-Request-Id`. Any
//! other client can send that header too. It then chooses the trace id of its own requests, and nothing else.

mod layer;
mod otlp_exporter;
mod span;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portico_domain::platform::env_reader::EnvReader;
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};
use tracing::warn;
use url::Url;

use self::{layer::TraceLayer, span::Span};

/// The maximum number of ended spans that wait to be sent. Further spans are dropped and counted.
const QUEUE_CAPACITY: usize = 4_096;
/// How long [`Traces::flush`] waits for the last spans to be sent.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// The settings of the trace exporter.
#[derive(Clone, Debug)]
pub(crate) struct TraceSettings {
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`: the base URL of the collector. If `None`, there are no traces.
    endpoint: Option<Url>,
    /// `OTEL_SERVICE_NAME`: the value of the resource attribute `service.name`.
    service: String,
}

impl TraceSettings {
    /// Reads the section. The variables have the names of the OpenTelemetry specification.
    ///
    /// Returns `None` if a value is wrong; the problem is kept in `env`.
    pub(crate) fn read(env: &mut EnvReader) -> Option<Self> {
        let description = "The base URL of an OpenTelemetry collector that accepts OTLP as JSON over plain HTTP, e.g. \
            `http://localhost:4318`. Portico sends its traces there. If it is not set, there are no traces.";
        let endpoint = env.read("OTEL_EXPORTER_OTLP_ENDPOINT", "", description, |value| match Url::parse(value) {
            _ if value.is_empty() => Ok(None),
            Ok(url) if url.scheme() == "http" && url.has_host() && !has_secret(&url) => Ok(Some(url)),
            _ => Err(
                "must be http://host:port, e.g. OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318; if traces must be \
                      sent over TLS, run a local collector that forwards them"
                    .into(),
            ),
        });
        let description = "The service name in traces (`service.name`).";
        let service = env.read("OTEL_SERVICE_NAME", "portico", description, |value| Ok(value.to_owned()));
        Some(Self { endpoint: endpoint?, service: service? })
    }
}

/// Whether `url` has a part in which people put secrets, which plain HTTP would show to the network.
fn has_secret(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some() || url.query().is_some()
}

/// The exporter of spans.
///
/// If no collector is configured, there is no layer and no task, and tracing costs nothing.
#[derive(Clone, Debug)]
pub(crate) struct Traces {
    settings: TraceSettings,
    running: Arc<Mutex<Option<Running>>>,
}

/// A started exporter.
#[derive(Debug)]
struct Running {
    /// The queue of the task.
    spans: mpsc::Sender<Message>,
    /// The task that sends spans to the collector.
    task: JoinHandle<()>,
}

/// A message to the task that sends spans.
enum Message {
    /// A span has ended.
    Ended(Box<Span>),
    /// Send what is queued, and stop.
    Flush,
}

impl Traces {
    /// Returns an exporter with these settings. It starts nothing yet.
    pub(crate) fn new(settings: TraceSettings) -> Self {
        Self { settings, running: Arc::default() }
    }

    /// Returns the layer that collects spans, and starts the task that sends them. Call it once, in a tokio runtime.
    ///
    /// Returns `None` if no collector is configured.
    pub(super) fn layer(&self) -> Option<TraceLayer> {
        let endpoint = self.settings.endpoint.clone()?;
        let (spans, messages) = mpsc::channel(QUEUE_CAPACITY);
        let task = tokio::spawn(otlp_exporter::export(endpoint, self.settings.service.clone(), messages));
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        *running = Some(Running { spans: spans.clone(), task });
        Some(TraceLayer::new(spans))
    }

    /// Sends the queued spans and stops the exporter. Waits at most 3 seconds. Call it before the process ends.
    ///
    /// Does nothing if the exporter was not started.
    pub(crate) async fn flush(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Running { spans, task }) = running else { return };
        let flushed = async {
            let _ = spans.send(Message::Flush).await;
            let _ = task.await;
        };
        if timeout(FLUSH_TIMEOUT, flushed).await.is_err() {
            warn!("the collector did not accept the last spans in time; they are lost");
        }
    }
}
