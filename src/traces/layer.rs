//! From our spans to those of a trace.

use std::fmt::Debug;

use portico_domain::{clock::Clock, metrics, random::Random};
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
    span::{MAX_ATTRIBUTES, Span, SpanContext},
};

/// Notes what spans say and hands them over when they end. Never waits.
pub(crate) struct TraceLayer {
    spans: mpsc::Sender<Message>,
}

impl TraceLayer {
    pub(super) fn new(spans: mpsc::Sender<Message>) -> Self {
        Self { spans }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TraceLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let above = span.parent().and_then(|parent| parent.extensions().get::<Span>().map(|parent| parent.place));
        let own = |place: SpanContext| SpanContext { id: Random.bytes(), ..place };
        let (place, parent) = match (span.name(), above, fields.request_id, fields.id) {
            (_, Some(above), ..) => (own(above), Some(above.id)),
            ("request", None, Some(request), _) => (SpanContext::root(request), None),
            // The request has ended long ago, perhaps in another process; its span is the root of the trace.
            ("job", None, Some(request), _) => (own(SpanContext::root(request)), Some(SpanContext::root(request).id)),
            // Nobody asked for it, so each try is a root of the job's own trace.
            ("job", None, None, Some(job)) => (own(SpanContext::root(job)), None),
            _ => return,
        };
        let now = Clock::System.now();
        let ended = Span { name: span.name(), place, parent, began: now, ended: now, shown: fields.shown };
        span.extensions_mut().insert(ended);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        values.record(&mut fields);
        if let Some(noted) = span.extensions_mut().get_mut::<Span>() {
            noted.shown.extend(fields.shown);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(mut noted) = span.extensions_mut().remove::<Span>() else { return };
        noted.ended = Clock::System.now();
        if self.spans.try_send(Message::Ended(Box::new(noted))).is_err() {
            metrics::spans_dropped(1);
        }
    }
}

/// What of a span's fields matters.
#[derive(Default)]
struct Fields {
    request_id: Option<Uuid>,
    id: Option<Uuid>,
    shown: Vec<(&'static str, Value)>,
}

impl Fields {
    fn note(&mut self, field: &Field, value: Value) {
        let id = || value.as_str().and_then(|text| Uuid::try_parse(text).ok());
        match field.name() {
            "request_id" => self.request_id = id(),
            "id" => self.id = id(),
            name if MAX_ATTRIBUTES.contains(&name) => self.shown.push((name, value)),
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
