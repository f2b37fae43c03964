//! Traces for an OpenTelemetry collector: what a request did, and the jobs and mails that it caused, even in other processes.
//!
//! The id of a request is the id of its trace (both are 128 bits), and the trace's root span takes the last half of it. So
//! a job, which carries the id of the request that caused it, knows its trace and its parent without being told more. A
//! `traceparent` header is not looked at. A gateway of ours that wants its own trace continued sends the trace's id as
//! `X-Request-Id`; so can a stranger, who thereby names the trace of their own requests, and no more than that.

mod layer;
mod otlp_exporter;
mod span;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portico_domain::settings::EnvReader;
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};
use tracing::warn;
use url::Url;

use self::{layer::TraceLayer, span::Span};

/// How many ended spans may wait for the collector; more are dropped and counted.
const WAITING: usize = 4_096;
/// How long the last spans may take when the process ends.
const FLUSH_WITHIN: Duration = Duration::from_secs(3);

/// Where traces go.
#[derive(Clone, Debug)]
pub(crate) struct TraceSettings {
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`; none: there are no traces.
    endpoint: Option<Url>,
    /// `OTEL_SERVICE_NAME`
    service: String,
}

impl TraceSettings {
    /// Reads the section, by the names that OpenTelemetry gives its variables.
    pub(crate) fn read(env: &mut EnvReader) -> Option<Self> {
        let description = "Where traces go: the base URL of an OpenTelemetry collector that takes OTLP as JSON over plain HTTP, \
                       e.g. `http://localhost:4318`. Without it there are none.";
        let endpoint = env.read("OTEL_EXPORTER_OTLP_ENDPOINT", "", description, |value| match Url::parse(value) {
            _ if value.is_empty() => Ok(None),
            Ok(url)
                if url.scheme() == "http" && url.has_host() && url.username().is_empty() && url.query().is_none() =>
            {
                Ok(Some(url))
            }
            _ => Err("must be http://host:port, e.g. OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318; a collector \
                      beside this process speaks TLS to others"
                .into()),
        });
        let description = "What traces call this service.";
        let service = env.read("OTEL_SERVICE_NAME", "portico", description, |value| Ok(value.to_owned()));
        Some(Self { endpoint: endpoint?, service: service? })
    }
}

/// The way of ended spans to the collector. Without one it costs nothing: there is no layer and no task.
#[derive(Clone, Debug)]
pub(crate) struct Traces {
    settings: TraceSettings,
    running: Arc<Mutex<Option<Running>>>,
}

#[derive(Debug)]
struct Running {
    spans: mpsc::Sender<Message>,
    task: JoinHandle<()>,
}

/// What the layer tells the task that exports.
enum Message {
    Ended(Box<Span>),
    Flush,
}

impl Traces {
    pub(crate) fn new(settings: TraceSettings) -> Self {
        Self { settings, running: Arc::default() }
    }

    /// The layer that collects spans, if they have somewhere to go; starts the task that sends them. To be called once.
    pub(super) fn layer(&self) -> Option<TraceLayer> {
        let endpoint = self.settings.endpoint.clone()?;
        let (spans, ended) = mpsc::channel(WAITING);
        let task = tokio::spawn(otlp_exporter::export(endpoint, self.settings.service.clone(), ended));
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        *running = Some(Running { spans: spans.clone(), task });
        Some(TraceLayer::new(spans))
    }

    /// Sends what has not been sent, and no more from now on. For a process that ends.
    pub(crate) async fn flush(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Running { spans, task }) = running else { return };
        let last = async {
            let _ = spans.send(Message::Flush).await;
            let _ = task.await;
        };
        if timeout(FLUSH_WITHIN, last).await.is_err() {
            warn!("the last spans did not reach the collector");
        }
    }
}
