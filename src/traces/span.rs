//! A span, and how OTLP writes it as JSON (opentelemetry-proto, "JSON Protobuf Encoding").

use portico_domain::clock::Time;
use serde_json::{Value, json};
use uuid::Uuid;

/// The fields of our spans that a trace shows: words of the code and numbers. Whatever is not named here stays out.
pub(super) const MAX_ATTRIBUTES: [&str; 7] = ["operation", "status", "job", "lane", "attempt", "outcome", "method"];

/// What OTLP calls the role of a span in a call.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Internal = 1,
    Server = 2,
    Client = 3,
    Consumer = 5,
}

/// Which trace a span belongs to, and which span it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SpanContext {
    pub(super) trace: [u8; 16],
    pub(super) id: [u8; 8],
}

impl SpanContext {
    /// The root of the trace that a request has caused. Ids of zeros alone mean "none", so they become others.
    pub(super) fn root(request_id: Uuid) -> Self {
        let trace = request_id.into_bytes();
        let mut id = [0; 8];
        id.copy_from_slice(&trace[8..]);
        let one = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
        let trace = if one(&trace) { 1u128.to_be_bytes() } else { trace };
        Self { trace, id: if one(&id) { 1u64.to_be_bytes() } else { id } }
    }
}

/// A span that has ended.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) name: &'static str,
    pub(super) place: SpanContext,
    pub(super) parent: Option<[u8; 8]>,
    pub(super) began: Time,
    pub(super) ended: Time,
    pub(super) shown: Vec<(&'static str, Value)>,
}

impl Span {
    /// As OTLP writes it: ids in hexadecimal, 64-bit numbers as text.
    pub(super) fn json(&self) -> Value {
        let nanoseconds = |time: Time| (i128::from(time.timestamp_micros()) * 1_000).to_string();
        let attributes: Vec<_> = self.shown.iter().map(|(name, value)| attribute(self.name, name, value)).collect();
        let mut json = json!({
            "traceId": hex(&self.place.trace),
            "spanId": hex(&self.place.id),
            "name": self.title(),
            "kind": self.kind() as u8,
            "startTimeUnixNano": nanoseconds(self.began),
            "endTimeUnixNano": nanoseconds(self.ended),
            "attributes": attributes,
            // 2 is "error"; 0, which says nothing, is what a server says of everything else.
            "status": { "code": if self.has_failed() { 2 } else { 0 } },
        });
        if let Some(parent) = self.parent {
            json["parentSpanId"] = hex(&parent).into();
        }
        json
    }

    /// A request by its operation, a job by its name.
    fn title(&self) -> &str {
        let field = match self.name {
            "request" => "operation",
            "job" => "job",
            _ => return self.name,
        };
        self.text(field).unwrap_or(self.name)
    }

    fn kind(&self) -> Kind {
        match self.name {
            "request" => Kind::Server,
            "job" => Kind::Consumer,
            "smtp" => Kind::Client,
            _ => Kind::Internal,
        }
    }

    fn has_failed(&self) -> bool {
        let status = self.shown.iter().find(|(name, _)| *name == "status").and_then(|(_, value)| value.as_u64());
        status.is_some_and(|status| status >= 500)
            || self.text("outcome").is_some_and(|how| !["done", "sent"].contains(&how))
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.shown.iter().find(|(name, _)| *name == field)?.1.as_str()
    }
}

fn attribute(span: &str, name: &str, value: &Value) -> Value {
    let value = match value {
        Value::Number(number) => json!({ "intValue": number.to_string() }),
        other => json!({ "stringValue": other }),
    };
    json!({ "key": format!("portico.{span}.{name}"), "value": value })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_is_all_zeros() {
        let nil = SpanContext::root(Uuid::nil());
        assert!(nil.trace != [0; 16] && nil.id != [0; 8]);
        let half = SpanContext::root(Uuid::from_u128(7 << 64));
        assert_eq!((half.trace, half.id), ((7u128 << 64).to_be_bytes(), 1u64.to_be_bytes()));
        let id = Uuid::from_u128(0x01a1_fdba_f86f_76f5_b296_4e54_8b36_91ab);
        assert_eq!(hex(&SpanContext::root(id).trace), id.simple().to_string());
        assert_eq!(hex(&SpanContext::root(id).id), "b2964e548b3691ab");
    }
}
