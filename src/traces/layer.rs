//! The tracing layer that turns the spans of this program into spans of a trace.

use std::fmt::Debug;

use portico_domain::platform::{clock::Clock, metrics, random::Random};
use serde_json::Value;
use tokio::sync::mpsc;
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};
use uuid::Uuid;

use super::{
    Message,
    span::{EXPORTED_FIELDS, Span, SpanContext},
};

/// A layer that records the fields of spans, and queues each span for export when it ends.
///
/// It never blocks. If the queue is full, the span is dropped and counted in `portico_trace_spans_dropped_total`.
pub(crate) struct TraceLayer {
    /// The queue of the task that sends spans.
    spans: mpsc::Sender<Message>,
}

impl TraceLayer {
    /// Returns a layer that queues ended spans to `spans`.
    pub(super) fn new(spans: mpsc::Sender<Message>) -> Self {
        Self { spans }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TraceLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let parent_context =
            span.parent().and_then(|parent| parent.extensions().get::<Span>().map(|parent| parent.context));
        let child_of = |context: SpanContext| SpanContext { id: Random.bytes(), ..context };
        let (context, parent) = match (span.name(), parent_context, fields.request_id, fields.id) {
            (_, Some(parent), ..) => (child_of(parent), Some(parent.id)),
            ("request", None, Some(request), _) => (SpanContext::root(request), None),
            // The request that caused the job has ended, perhaps in another process. Its span is the root of the trace.
            ("job", None, Some(request), _) => {
                (child_of(SpanContext::root(request)), Some(SpanContext::root(request).id))
            }
            // No request caused the job, for example because it is scheduled. Its trace has the job's id, and each
            // attempt is a span without a parent.
            ("job", None, None, Some(job)) => (child_of(SpanContext::root(job)), None),
            _ => return,
        };
        let now = Clock::System.now();
        let recorded =
            Span { name: span.name(), context, parent, started: now, ended: now, attributes: fields.attributes };
        span.extensions_mut().insert(recorded);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        values.record(&mut fields);
        if let Some(recorded) = span.extensions_mut().get_mut::<Span>() {
            recorded.attributes.extend(fields.attributes);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(mut recorded) = span.extensions_mut().remove::<Span>() else { return };
        recorded.ended = Clock::System.now();
        if self.spans.try_send(Message::Ended(Box::new(recorded))).is_err() {
            metrics::spans_dropped(1);
        }
    }
}

/// The fields of a span that this layer uses.
#[derive(Default)]
struct Fields {
    /// The field `request_id`: the request that the span belongs to.
    request_id: Option<Uuid>,
    /// The field `id`: the job that the span belongs to.
    id: Option<Uuid>,
    /// The fields that become attributes, in the order in which they were recorded.
    attributes: Vec<(&'static str, Value)>,
}

impl Fields {
    /// Keeps `value` if this layer uses `field`.
    fn note(&mut self, field: &Field, value: Value) {
        let id = || value.as_str().and_then(|text| Uuid::try_parse(text).ok());
        match field.name() {
            "request_id" => self.request_id = id(),
            "id" => self.id = id(),
            name if EXPORTED_FIELDS.contains(&name) => self.attributes.push((name, value)),
            _ => {}
        }
    }
}

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.note(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.note(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.note(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.note(field, format!("{value:?}").into());
    }
}
