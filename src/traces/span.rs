//! Spans, and their OTLP form in JSON (opentelemetry-proto, "JSON Protobuf Encoding").

use portico_domain::platform::clock::Time;
use serde_json::{Value, json};
use uuid::Uuid;

/// The fields of spans that are exported as attributes. All other fields are left out.
///
/// The values of these fields are constants of the code and numbers. They hold no personal data and no secrets.
pub(super) const EXPORTED_FIELDS: [&str; 7] = ["operation", "status", "job", "lane", "attempt", "outcome", "method"];

/// The kind of a span, with the numbers of the protobuf enum `SpanKind`.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Work inside this process.
    Internal = 1,
    /// A request that this process answers.
    Server = 2,
    /// A request that this process sends, such as a mail.
    Client = 3,
    /// A job that this process takes from the queue.
    Consumer = 5,
}

/// The identity of a span: the id of its trace and its own id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SpanContext {
    /// The trace id.
    pub(super) trace: [u8; 16],
    /// The span id.
    pub(super) id: [u8; 8],
}

impl SpanContext {
    /// Returns the identity of the root span of the trace with this id.
    ///
    /// The trace id is `request_id`, and the span id is its last 8 bytes. An id of only zeros is invalid, so this
    /// replaces it by the number 1.
    pub(super) fn root(request_id: Uuid) -> Self {
        let trace = request_id.into_bytes();
        let mut id = [0; 8];
        id.copy_from_slice(&trace[8..]);
        let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
        let trace = if is_zero(&trace) { 1u128.to_be_bytes() } else { trace };
        Self { trace, id: if is_zero(&id) { 1u64.to_be_bytes() } else { id } }
    }
}

/// A recorded span.
#[derive(Clone, Debug)]
pub(super) struct Span {
    /// The name that the code gives the span: `request`, `job`, `smtp`, and others.
    pub(super) name: &'static str,
    /// Its identity.
    pub(super) context: SpanContext,
    /// The id of the parent span. `None` if it is a root.
    pub(super) parent: Option<[u8; 8]>,
    /// When it started.
    pub(super) started: Time,
    /// When it ended.
    pub(super) ended: Time,
    /// The fields that are exported as attributes: those of [`EXPORTED_FIELDS`].
    pub(super) attributes: Vec<(&'static str, Value)>,
}

impl Span {
    /// Returns the span as OTLP JSON: ids in hexadecimal, 64-bit numbers as strings.
    pub(super) fn json(&self) -> Value {
        let nanoseconds = |time: Time| (i128::from(time.timestamp_micros()) * 1_000).to_string();
        let attributes: Vec<_> =
            self.attributes.iter().map(|(name, value)| attribute(self.name, name, value)).collect();
        let mut json = json!({
            "traceId": hex::encode(self.context.trace),
            "spanId": hex::encode(self.context.id),
            "name": self.display_name(),
            "kind": self.kind() as u8,
            "startTimeUnixNano": nanoseconds(self.started),
            "endTimeUnixNano": nanoseconds(self.ended),
            "attributes": attributes,
            // The protobuf enum `StatusCode`: 2 is "error", 0 is "unset".
            "status": { "code": if self.has_failed() { 2 } else { 0 } },
        });
        if let Some(parent) = self.parent {
            json["parentSpanId"] = hex::encode(parent).into();
        }
        json
    }

    /// Returns the name of the span in the trace: a request's operation, a job's name, else the name in the code.
    fn display_name(&self) -> &str {
        let field = match self.name {
            "request" => "operation",
            "job" => "job",
            _ => return self.name,
        };
        self.text(field).unwrap_or(self.name)
    }

    /// Returns the kind that follows from the name.
    fn kind(&self) -> Kind {
        match self.name {
            "request" => Kind::Server,
            "job" => Kind::Consumer,
            "smtp" => Kind::Client,
            _ => Kind::Internal,
        }
    }

    /// Returns whether the span is an error: a status of 500 or above, or an outcome other than `done` and `sent`.
    fn has_failed(&self) -> bool {
        let status = self.attributes.iter().find(|(name, _)| *name == "status").and_then(|(_, value)| value.as_u64());
        status.is_some_and(|status| status >= 500)
            || self.text("outcome").is_some_and(|outcome| !["done", "sent"].contains(&outcome))
    }

    /// Returns the value of `field`, if it is text.
    fn text(&self, field: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| *name == field)?.1.as_str()
    }
}

/// Returns an attribute as OTLP JSON. Its key is `portico.<span>.<name>`.
fn attribute(span: &str, name: &str, value: &Value) -> Value {
    let value = match value {
        Value::Number(number) => json!({ "intValue": number.to_string() }),
        other => json!({ "stringValue": other }),
    };
    json!({ "key": format!("portico.{span}.{name}"), "value": value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_ids_are_never_all_zeros() {
        let nil = SpanContext::root(Uuid::nil());
        assert!(nil.trace != [0; 16] && nil.id != [0; 8]);
        let half = SpanContext::root(Uuid::from_u128(7 << 64));
        assert_eq!((half.trace, half.id), ((7u128 << 64).to_be_bytes(), 1u64.to_be_bytes()));
        let id = Uuid::from_u128(0x01a1_fdba_f86f_76f5_b296_4e54_8b36_91ab);
        assert_eq!(hex::encode(SpanContext::root(id).trace), id.simple().to_string());
        assert_eq!(hex::encode(SpanContext::root(id).id), "b2964e548b3691ab");
    }
}
